// Real sockets on the loopback network: where a connection comes from.
#include "troupe/net/socket.h"

#include <doctest/doctest.h>

#include "troupe/actor/actor.h"
#include "troupe/net/listener.h"

namespace troupe::net {
namespace {

/// From which address does the other end see a connection that was made from this one?
struct ConnectFrom {
  std::optional<IpAddress> from;
  using reply = IpAddress;
};

class BothEnds final : private ListenerEvents {
 public:
  void started(actor::Context& ctx) {
    listener_ = listen_tcp(ctx.core(), {*IpAddress::parse("127.0.0.1"), 0});
    listener_->start(*this);
  }
  void handle(const ConnectFrom& message, actor::Reply<IpAddress> reply, actor::Context& ctx) {
    reply_ = std::move(reply);
    client_ = connect_tcp(ctx.core(), listener_->address(), std::make_shared<ReadBuffer>(), message.from);
  }

 private:
  void on_stream(std::unique_ptr<Stream> stream) override { reply_.set(stream->peer().ip); }
  void on_exhausted() override {}

  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Stream> client_;
  actor::Reply<IpAddress> reply_;
};

TEST_CASE("a connection comes from the address that was named, and else from the kernel's choice") {
  actor::System system{{.cores = 1}};
  const auto ends = system.spawn<BothEnds>({});
  CHECK_EQ(system.block_on(ends.ask(ConnectFrom{IpAddress::parse("127.9.8.7")}))->text(), "127.9.8.7");
  CHECK_EQ(system.block_on(ends.ask(ConnectFrom{}))->text(), "127.0.0.1");
  CHECK_FALSE(system.block_on(ends.ask(ConnectFrom{IpAddress::parse("192.0.2.1")})).has_value());
}

}  // namespace
}  // namespace troupe::net
