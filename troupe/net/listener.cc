// The listening socket: accepts a bounded number for each readiness, so that connections
// already there get their turn, and pauses when the process has no descriptors left.
#include "troupe/net/listener.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include "troupe/actor/runtime/core.h"
#include "troupe/net/descriptor.h"
#include "troupe/net/socket.h"
#include "troupe/net/socket_address.h"

namespace troupe::net {
namespace {

constexpr int accepts_in_a_row_max = 64;
constexpr unsigned unacknowledged_ms_max = 60'000;  // of bytes that the peer's system has not taken

class TcpListener final : public Listener, private actor::IoHandler {
 public:
  TcpListener(actor::Poller& poller, Descriptor socket, const Endpoint& address)
      : poller_(poller), socket_(std::move(socket)), address_(address) {}
  ~TcpListener() override {
    if (gone_ != nullptr) *gone_ = true;
    pause();
  }

  void start(ListenerEvents& events) override {
    events_ = &events;
    resume();
  }

  void pause() override {
    if (std::exchange(registered_, false)) poller_.remove(socket_.get(), *this);
  }

  void resume() override {
    if (!std::exchange(registered_, true)) poller_.add(socket_.get(), {.read = true}, *this);
  }

  const Endpoint& address() const override { return address_; }

 private:
  void on_io(actor::IoEvents) override {
    bool gone = false;
    gone_ = &gone;
    for (int i = 0; i < accepts_in_a_row_max && !gone && registered_; ++i) {
      if (!accept_one()) break;
    }
    if (!gone) gone_ = nullptr;
  }

  /// Takes one connection; false when there is none, or nothing to take it with.
  bool accept_one() {
    SocketAddress from;
    Descriptor socket{::accept4(socket_.get(), from.get(), from.size_pointer(), SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (socket) {
      int on = 1;
      ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      // Otherwise a peer that vanishes without a word, and is owed no answer, is noticed after a quarter of an hour.
      ::setsockopt(socket.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms_max, sizeof unacknowledged_ms_max);
      events_->on_stream(std::make_unique<Socket>(poller_, std::move(socket), from.endpoint(), buffer_));
      return true;
    }
    bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (exhausted) {
      pause();
      events_->on_exhausted();
    }
    // EAGAIN: none is left. Others (ECONNABORTED...) are the trouble of a connection that died before we took it.
    return !exhausted && errno != EAGAIN && errno != EWOULDBLOCK;
  }

  actor::Poller& poller_;
  Descriptor socket_;
  Endpoint address_;
  ListenerEvents* events_ = nullptr;
  std::shared_ptr<ReadBuffer> buffer_ = std::make_shared<ReadBuffer>();
  bool* gone_ = nullptr;  // set to true when an event destroys us
  bool registered_ = false;
};

}  // namespace

std::unique_ptr<Listener> listen_tcp(actor::Core& core, const Endpoint& address, int backlog) {
  auto fail = [&] { throw std::system_error(errno, std::generic_category(), "listen on " + address.text()); };
  auto where = SocketAddress::of(address);
  Descriptor socket{::socket(where.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) fail();
  auto set = [&](int level, int option, int value) {
    if (::setsockopt(socket.get(), level, option, &value, sizeof value) != 0) fail();
  };
  set(SOL_SOCKET, SO_REUSEADDR, 1);
  set(SOL_SOCKET, SO_REUSEPORT, 1);
  // "::" serves both families; any other address serves its own.
  if (where.family() == AF_INET6) set(IPPROTO_IPV6, IPV6_V6ONLY, address.ip.is_unspecified() ? 0 : 1);
  if (::bind(socket.get(), where.get(), where.size()) != 0) fail();
  if (::listen(socket.get(), backlog) != 0) fail();
  SocketAddress bound;
  if (::getsockname(socket.get(), bound.get(), bound.size_pointer()) != 0) fail();
  return std::make_unique<TcpListener>(core.poller(), std::move(socket), bound.endpoint());
}

}  // namespace troupe::net
