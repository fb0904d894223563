// How a drain of many is spread: 10 000 connections in virtual time, and the rate at which they come back elsewhere.
#include <doctest/doctest.h>

#include <algorithm>

#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::connect_many;
using testing::field;
using testing::RealtimeWorld;
using testing::Socket;
using testing::types;

using Rate = std::vector<std::size_t>;  // by second of the drain

struct Spread {
  Rate told;       // draining came
  Rate come_back;  // when the client was asked to reconnect
  std::vector<std::size_t> order;
};

/// Looks every 100 ms who has been told to go, and closed.
Spread watch(RealtimeWorld& world, std::vector<Socket>& sockets, base::Duration over) {
  const auto seconds = static_cast<std::size_t>(over / 1s);
  Spread spread{Rate(seconds + 2), Rate(seconds + 2), {}};
  std::vector<bool> gone(sockets.size());
  for (auto at = 0ms; at < over + 1s; at += 100ms) {
    world.world.advance(100ms);
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      if (gone[i] || sockets[i]->close_code() != 1001) continue;
      gone[i] = true;
      const auto frames = sockets[i]->take();
      REQUIRE_EQ(types(frames), "draining");
      const auto after = std::chrono::milliseconds{std::stoll(field(frames[0], "reconnect_after_ms"))};
      CHECK_LT(after, 1s);
      ++spread.told[static_cast<std::size_t>(at / 1s)];
      ++spread.come_back[static_cast<std::size_t>((at + 50ms + after) / 1s)];
      spread.order.push_back(i);
    }
  }
  return spread;
}

TEST_CASE("10 000 connections leave at an even rate, from the first second to the last, whatever core they are on") {
  RealtimeOptions options;
  options.connections_by_address_max = 20'000;
  options.connection.heartbeat.interval = 10min;  // pings are not what is looked at
  RealtimeWorld world{options, 7};
  std::vector<Socket> sockets;
  connect_many(world, sockets, 7'000, 0);  // cores are never equally full
  connect_many(world, sockets, 3'000, 1);
  for (auto& socket : sockets) REQUIRE_EQ(types(socket->take()), "welcome");

  world.realtime->supervisor().tell(DrainRealtime{50s});
  const Spread spread = watch(world, sockets, 50s);

  REQUIRE_EQ(spread.order.size(), 10'000);
  for (std::size_t second = 0; second < 50; ++second) {
    CAPTURE(second);
    CHECK_GE(spread.told[second], 195);  // of 200
    CHECK_LE(spread.told[second], 205);
  }
  for (std::size_t second = 1; second < 50; ++second) {  // the first and the last one have half of it
    CAPTURE(second);
    CHECK_GE(spread.come_back[second], 150);
    CHECK_LE(spread.come_back[second], 250);
  }
  CHECK_LE(spread.come_back[0], 150);
  CHECK_LE(spread.come_back[50], 150);

  // By lot: those who came as the first hundred of their core do not leave as the first hundred.
  const auto early =
      std::count_if(spread.order.begin(), spread.order.begin() + 1'000, [](auto i) { return i < 1'000; });
  CHECK_GT(early, 50);
  CHECK_LT(early, 200);
}

TEST_CASE(
    "who was let in before the doors closed but arrives behind the others is sent away in the time that is left") {
  RealtimeWorld world;
  auto early = world.connect("alice");
  const auto doors = world.world.block_on(world.realtime->supervisor().ask(GetDoors{})).value();
  for (auto connections : doors.connections) connections.tell(DrainConnections{10s});
  world.world.advance(4s);
  auto late = world.connect("bob");  // the server has not heard of the drain
  REQUIRE_EQ(late->status(), 101);
  world.world.advance(6001ms);
  CHECK_EQ(early->close_code(), 1001);
  CHECK_EQ(late->close_code(), 1001);
  auto after_the_end = world.connect("carol");
  world.world.advance(1ms);
  CHECK_EQ(after_the_end->close_code(), 1001);
}

TEST_CASE("while nobody new is let in, those who are there are counted and stay") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  auto supervisor = world.realtime->supervisor();
  CHECK(world.world.block_on(supervisor.ask(RefuseConnections{})).has_value());
  CHECK_EQ(world.ask_for("/ws", "Authorization: Bearer late\r\n")->status(), 503);
  CHECK_EQ(world.world.block_on(supervisor.ask(CountConnections{})).value(), 2);
  CHECK_EQ(types(world.exchange(alice, R"({"type":"ping"})")), "pong");
}

}  // namespace
}  // namespace troupe::realtime
