// BrokenLink: the link of a connection on core 0 that there is no memory for, where a test says so.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime::testing {

/// Takes everything, and throws in the functions that `breaks_at` names.
struct BrokenLink final : web::WebSocketLink {
  struct Seen {
    web::WebSocketEvents* events = nullptr;
    std::string_view breaks_at{};
    int closed = 0;
  };

  explicit BrokenLink(std::shared_ptr<Seen> to_see) : seen(std::move(to_see)) {}
  void start(web::WebSocketEvents& events, web::WebSocketLimits, wire::Inflater*) override { seen->events = &events; }
  std::size_t write_some(std::span<const iovec> frames) override {
    std::size_t bytes = 0;
    for (const auto& frame : frames) bytes += frame.iov_len;
    return bytes;
  }
  void ping(std::string_view) override { come_to("ping"); }
  void close(std::uint16_t code, std::string_view) override {
    come_to("close");
    seen->closed = code;
  }
  void pause_reading() override { come_to("pause_reading"); }
  void resume_reading() override {}
  const net::PeerAddress& peer() const override { return nobody; }

  void come_to(std::string_view function) const {
    if (seen->breaks_at.contains(function)) throw std::bad_alloc{};
  }

  std::shared_ptr<Seen> seen;
  net::PeerAddress nobody{};
};

/// Opens one of the user "broken", who may subscribe to "t".
inline std::shared_ptr<BrokenLink::Seen> open_broken(RealtimeWorld& world) {
  const auto supervisor = world.world.block_on(world.realtime->supervisor().ask(GetDoors{}))->connections[0];
  auto seen = std::make_shared<BrokenLink::Seen>();
  OpenConnection broken{std::make_unique<BrokenLink>(seen), {}, {}, {}, {}};
  broken.identity = Identity{UserId{"broken"}, {"topic:t:subscribe"}, TokenId{"broken"}, {}};
  supervisor.tell(std::move(broken));
  world.world.run_until_idle();
  REQUIRE_NE(seen->events, nullptr);
  return seen;
}

}  // namespace troupe::realtime::testing
