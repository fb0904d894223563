// Mine: what corrupts the routing tables of a core in a test, or finds no memory, when a publication steps on it.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <new>
#include <string_view>

#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime::testing {

/// A receiver in a router's tables that throws when a message comes to it, or when it is told of one that it missed.
struct Mine final : Receiver {
  enum class Fault { corrupted, out_of_memory, out_of_memory_for_missed };

  const ConnectionId& connection() const noexcept override { return id; }
  const UserId& user() const noexcept override { return name; }
  void registered(ReceiverNumber given) override { number = given; }
  Delivery deliver(const FrameRef&, Overflow) override {
    if (fault == Fault::corrupted) throw RoutingTableCorrupted{"a mine"};
    if (fault == Fault::out_of_memory) throw std::bad_alloc{};
    return Delivery::accepted;
  }
  bool has_scope(const std::string&) const override { return true; }
  void withheld(std::string_view, const Position&, const StreamPlace&) override {}
  void left_out(std::string_view, const Position&) override {}
  void missed(std::string_view, const Epoch&, Offset, Offset, Overflow, const StreamPlace&) override {
    if (fault == Fault::out_of_memory_for_missed) throw std::bad_alloc{};
  }
  void open_inbox(const InboxContents&) override {}
  void routes_lost(RoutesCut) override { lost = true; }
  ConnectionId id{"mine"};
  UserId name{"mine"};
  Fault fault = Fault::corrupted;
  ReceiverNumber number = 0;
  bool lost = false;
};

inline RouterRef router_of(RealtimeWorld& world, std::size_t core) {
  return world.world.block_on(world.realtime->supervisor().ask(GetDoors{}))->routers[core];
}

/// Lies in the router of a core, and is stepped on by the next publication to `topic`.
inline base::LocalRef<Mine> lay(RouterRef router, std::string_view topic, RealtimeWorld& world,
                                Mine::Fault fault = Mine::Fault::corrupted) {
  auto mine = base::make_local<Mine>();
  mine->fault = fault;
  auto number = world.world.block_on(router.ask(Register{mine}));
  REQUIRE(number.has_value());
  auto added = world.world.block_on(router.ask(AddSubscriptions{*number, {{TopicPattern::parse(topic).value()}}}));
  if (!added) mine->number = 0;  // another one has gone off meanwhile
  return mine;
}

/// Corrupts the tables of a core, by a topic that nobody else has, and lets all settle.
inline void corrupt(RealtimeWorld& world, std::size_t core, Socket& by) {
  auto mine = lay(router_of(world, core), "mine", world);
  by->say(R"({"type":"publish","topic":"mine","payload":0})");
  world.world.advance(std::chrono::seconds{1});
  CHECK(mine->lost);
}

}  // namespace troupe::realtime::testing
