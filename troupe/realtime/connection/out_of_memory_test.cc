// What there is no memory for closes one connection with 1011; what concerns all of its core is done with the others.
#include <doctest/doctest.h>

#include "troupe/realtime/testing/broken_link.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::open_broken;
using testing::RealtimeWorld;

TEST_CASE(
    "the clock of a core goes on when a connection could not be looked at, nor even closed: that one alone goes") {
  for (const std::string_view breaks_at : {"ping", "ping close"}) {
    CAPTURE(breaks_at);
    RealtimeWorld world;
    const auto broken = open_broken(world);
    auto other = world.connect("other", 0);
    auto dead = world.connect("dead", 0);
    dead->ignore_pings();
    broken->breaks_at = breaks_at;
    world.world.advance(26s);
    CHECK_EQ(broken->closed, breaks_at == "ping" ? 1011 : 0);
    CHECK_EQ(other->pings(), 1);
    world.world.advance(10s);
    CHECK_EQ(dead->close_code(), 4002);
    auto silent = world.ask_for("/ws", "", 0);  // one that has come since
    world.world.advance(6s);
    CHECK_EQ(silent->close_code(), 1008);
    world.world.advance(60s);
    CHECK_GE(other->pings(), 4);
    CHECK_FALSE(other->close_code().has_value());
  }
}

TEST_CASE("all others leave in a drain when one could not be told to go") {
  RealtimeWorld world;
  const auto broken = open_broken(world);
  auto other = world.connect("other", 0);
  broken->breaks_at = "pause_reading";
  world.realtime->supervisor().tell(DrainRealtime{5s});
  world.world.advance(6s);
  CHECK_EQ(broken->closed, 1011);
  CHECK_EQ(other->close_code(), 1001);
}

TEST_CASE("a token is revoked for all its connections, also where one of them could not be closed") {
  RealtimeWorld world;
  const auto broken = open_broken(world);
  auto alice = world.connect_token("alice", 0);
  auto other = world.connect_token("broken", 0);
  broken->breaks_at = "close";
  world.realtime->supervisor().tell(TokenRevoked{TokenId{"broken"}});
  world.world.run_until_idle();
  CHECK_EQ(other->close_code(), 4001);
  CHECK_FALSE(alice->close_code().has_value());
}

}  // namespace
}  // namespace troupe::realtime
