// Sockets: reading once for each readiness, writing at once, and the poller's interest
// kept at what is needed.
#include "troupe/net/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <system_error>

#include "troupe/actor/runtime/core.h"
#include "troupe/net/socket_address.h"

namespace troupe::net {

namespace {

constexpr std::size_t gathered_max = 16 * 1024;
constexpr std::size_t small_part_max = 512;  // on average; from here on the system takes parts as fast as we copy them

std::size_t size_of(std::span<const iovec> parts) noexcept {
  std::size_t size = 0;
  for (const auto& part : parts) size += part.iov_len;
  return size;
}

/// One call of the system. Many small parts are copied together before it: it spends 40 ns more on each part than that
/// takes, half of what a delivery costs.
ssize_t send_parts(int socket, std::span<const iovec> parts, std::size_t size) noexcept {
  constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
  if (parts.size() == 1) return ::send(socket, parts[0].iov_base, parts[0].iov_len, flags);
  if (size <= gathered_max && size <= parts.size() * small_part_max) {
    std::array<char, gathered_max> gathered;
    char* end = gathered.data();
    for (const auto& part : parts) end = std::copy_n(static_cast<const char*>(part.iov_base), part.iov_len, end);
    return ::send(socket, gathered.data(), size, flags);
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  return ::sendmsg(socket, &message, flags);
}

}  // namespace

Socket::Socket(actor::Poller& poller, Descriptor socket, PeerAddress peer, std::shared_ptr<ReadBuffer> buffer) noexcept
    : socket_(std::move(socket)), peer_(peer), poller_(poller), buffer_(std::move(buffer)) {}

Socket::~Socket() {
  if (gone_ != nullptr) *gone_ = true;
  close();
}

void Socket::start(StreamEvents& events) {
  events_ = &events;
  update_interest();
}

std::size_t Socket::write_some(std::span<const iovec> parts) {
  std::size_t accepted = 0;
  while (!parts.empty() && socket_) {
    auto batch = parts.first(std::min<std::size_t>(parts.size(), IOV_MAX));
    const std::size_t offered = size_of(batch);
    const ssize_t sent = send_parts(socket_.get(), batch, offered);
    if (sent < 0 && errno == EINTR) continue;
    if (sent > 0) accepted += static_cast<std::size_t>(sent);
    if (sent < 0 || static_cast<std::size_t>(sent) < offered) {
      // Full, or broken: either way the poller comes back to it.
      came_short_ = true;
      broken_ = sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK;
      update_interest();
      break;
    }
    parts = parts.subspan(batch.size());
  }
  return accepted;
}

void Socket::pause_reading() {
  paused_ = true;
  update_interest();
}

void Socket::resume_reading() {
  paused_ = false;
  update_interest();
}

void Socket::shutdown_write() {
  if (socket_) ::shutdown(socket_.get(), SHUT_WR);
}

void Socket::close() {
  unregister();
  events_ = nullptr;
  socket_.reset();
}

/// A socket that wants nothing leaves the poller, which would otherwise report a hang-up again and again.
void Socket::update_interest() {
  if (!socket_ || events_ == nullptr) return;
  actor::IoEvents interest{.read = !paused_ && !finished_, .write = came_short_};
  bool wanted = interest.read || interest.write;
  if (!wanted) return unregister();
  registered_ ? poller_.change(socket_.get(), interest, *this) : poller_.add(socket_.get(), interest, *this);
  registered_ = true;
}

void Socket::unregister() noexcept {
  if (std::exchange(registered_, false)) poller_.remove(socket_.get(), *this);
}

void Socket::on_io(actor::IoEvents ready) {
  bool gone = false;
  gone_ = &gone;
  if (came_short_ && (ready.write || ready.closed)) {
    if (broken_) {
      lost();
    } else {
      came_short_ = false;
      update_interest();
      events_->on_writable();
    }
  }
  if (!gone && registered_ && !paused_ && !finished_ && (ready.read || ready.closed)) read_once();
  if (!gone) gone_ = nullptr;
}

void Socket::read_once() {
  auto room = buffer_->span();
  ssize_t count = ::recv(socket_.get(), room.data(), room.size(), MSG_DONTWAIT);
  if (count > 0) {
    // The owner may drop its last reference to us in there, but not to the buffer.
    auto buffer = buffer_;
    events_->on_bytes(room.first(static_cast<std::size_t>(count)));
  } else if (count == 0) {
    finished_ = true;
    update_interest();
    events_->on_closed(CloseReason::finished);
  } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
    lost();
  }
}

void Socket::lost() {
  unregister();
  auto* events = std::exchange(events_, nullptr);
  socket_.reset();
  events->on_closed(CloseReason::reset);
}

std::unique_ptr<Stream> connect_tcp(actor::Core& core, const Endpoint& to, std::shared_ptr<ReadBuffer> buffer,
                                    const std::optional<IpAddress>& from) {
  auto address = SocketAddress::of(to);
  Descriptor socket{::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (socket && from) {
    const int late = 1;  // the port is chosen by connect(), so that each destination has all of them
    ::setsockopt(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof late);
    auto source = SocketAddress::of({*from, 0});
    if (::bind(socket.get(), source.get(), source.size()) != 0)
      throw std::system_error(errno, std::generic_category(), "connect from " + from->text());
  }
  bool refused = !socket || (::connect(socket.get(), address.get(), address.size()) != 0 && errno != EINPROGRESS);
  if (refused) throw std::system_error(errno, std::generic_category(), "connect to " + to.text());
  int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return std::make_unique<Socket>(core.poller(), std::move(socket), to, std::move(buffer));
}

}  // namespace troupe::net
