// When a port is ours, and what is said when it is not.
#include "troupe/net/port.h"

#include <doctest/doctest.h>

#include <system_error>

#include "troupe/actor/system.h"
#include "troupe/net/listener.h"

using namespace troupe::net;

namespace {

/// Listens on one core of a system of its own while it lives.
class Somebody {
 public:
  explicit Somebody(const Endpoint& address) {
    listener_ = system_.spawn<Holder>({.name = "holder"}, address);
    (void)system_.block_on(listener_.ask(Holder::Ready{}));
  }

 private:
  struct Holder final : ListenerEvents {
    struct Ready {
      using reply = bool;
    };
    explicit Holder(Endpoint at) : address(at) {}
    void started(troupe::actor::Context& ctx) {
      listener = listen_tcp(ctx.core(), address);
      listener->start(*this);
    }
    bool handle(const Ready&) const { return true; }
    void on_stream(std::unique_ptr<Stream>) override {}
    void on_exhausted() override {}

    Endpoint address;
    std::unique_ptr<Listener> listener;
  };

  troupe::actor::System system_{{.cores = 1}};
  troupe::actor::Ref<Holder> listener_;
};

}  // namespace

TEST_CASE("port 0 becomes a free port, on which cores may then listen") {
  const PortReservation port{*Endpoint::parse("127.0.0.1:0")};
  CHECK_NE(port.address().port, 0);
  const Somebody listening{port.address()};
}

TEST_CASE("a port on which another server listens is told, though that server shares it among its cores") {
  const PortReservation port{*Endpoint::parse("127.0.0.1:0")};
  const Somebody listening{port.address()};
  try {
    const PortReservation second{port.address()};
    FAIL("it was given");
  } catch (const std::system_error& error) {
    CHECK(error.code() == std::errc::address_in_use);
    CHECK(std::string_view{error.what()}.contains(port.address().text()));
  }
}

TEST_CASE("an address that is not this machine's is told") {
  CHECK_THROWS_AS(PortReservation{*Endpoint::parse("192.0.2.1:0")}, std::system_error);
}
