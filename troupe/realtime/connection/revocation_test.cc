// A revoked token ends all that uses it within 100 ms, however many sockets and streams there are, on every core, and
// whatever else the cores have to do; and what it has asked for and is not done yet is not done any more.
#include <doctest/doctest.h>

#include <algorithm>

#include "troupe/realtime/testing/realtime_world.h"
#include "troupe/realtime/testing/test_events.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::RealtimeWorld;
using testing::Socket;
using testing::TestEvents;
using testing::token_of_user;

TEST_CASE("a thousand sockets and streams of a revoked token end within 100 ms, on cores that are busy otherwise") {
  RealtimeOptions options;
  options.connections_by_user_max = options.connections_by_address_max = 5'000;
  RealtimeWorld world{options, 1, {}, {}, 2, 20us};  // of each message that any actor handles
  const auto bearer = fmt::format("Authorization: Bearer {}\r\n", token_of_user("alice"));
  std::vector<Socket> sockets;
  std::vector<std::unique_ptr<TestEvents>> streams;
  for (std::size_t i = 0; i < 500; ++i) {
    sockets.push_back(world.connect("alice", i % 2));
    streams.push_back(
        std::make_unique<TestEvents>(world.networks[i % 2]->connect({{}, 80}), "/events?topic=t", bearer));
    world.world.advance(20ms);
    REQUIRE_EQ(streams.back()->status(), 200);
  }
  auto bob = world.connect("bob", 0);
  auto carol = world.connect("carol", 1);
  world.exchange(bob, R"({"type":"subscribe","topics":["*"]})");

  const auto revoked_at = world.world.manual_clock().now();
  for (int i = 0; i < 500; ++i) {
    (i % 2 == 0 ? bob : carol)->say(fmt::format(R"({{"type":"publish","topic":"t{}","payload":{}}})", i % 7, i));
  }
  world.realtime->supervisor().tell(TokenRevoked{TokenId{token_of_user("alice")}});
  const bool ended = world.world.run_until(
      [&] {
        return std::ranges::all_of(sockets, [](const auto& one) { return one->close_code() == 4001; }) &&
               std::ranges::all_of(streams, [](const auto& one) { return one->is_closed(); });
      },
      100ms);
  CHECK(ended);
  CHECK_LE(world.world.manual_clock().now() - revoked_at, 100ms);
  CHECK_GT(world.world.manual_clock().now() - revoked_at, 1ms);  // the cores were busy indeed
  for (auto& stream : streams) {
    const auto last = stream->take();
    REQUIRE_FALSE(last.empty());
    CHECK_EQ(last.back().type, "closed");
    CHECK_EQ(testing::field(last.back().data, "code"), "4001");
  }
  world.world.advance(1s);
  CHECK_FALSE(bob->close_code().has_value());
  CHECK_FALSE(carol->close_code().has_value());
}

TEST_CASE("what still waits when a token is revoked, or its user sent away, is not done any more") {
  for (const bool by_operator : {false, true}) {
    CAPTURE(by_operator);
    RealtimeWorld world{{}, 1, {}, {}, 1, 1ms};  // a publication takes several messages
    const auto supervisor = world.world.block_on(world.realtime->supervisor().ask(GetDoors{}))->connections[0];
    auto alice = world.connect("alice");
    auto bob = world.connect("bob");
    world.exchange(bob, R"({"type":"subscribe","topics":["t"]})");
    std::size_t heard = 0;
    bob->hear([&](std::string_view) { ++heard; });
    for (int i = 0; i < 100; ++i) alice->say(R"({"type":"publish","id":"p","topic":"t","payload":1})");
    REQUIRE(world.world.run_until([&] { return heard > 0; }, 1s));
    if (by_operator) {
      supervisor.tell(CloseUser{UserId{"alice"}});
    } else {
      world.realtime->supervisor().tell(TokenRevoked{TokenId{token_of_user("alice")}});
    }
    REQUIRE(world.world.run_until([&] { return alice->close_code().has_value(); }, 1s));
    CHECK_EQ(*alice->close_code(), by_operator ? 1008 : 4001);
    const auto before = heard;
    CHECK_LT(before, 50);  // most of them waited
    world.world.advance(1s);
    CHECK_LE(heard, before + 3);  // of what was under way
  }
}

TEST_CASE("a session whose token is revoked, or whose user is sent away, is over before its socket has gone") {
  for (const bool by_operator : {false, true}) {
    CAPTURE(by_operator);
    RealtimeWorld world;
    const auto bearer = fmt::format("Authorization: Bearer {}\r\n", token_of_user("bob"));
    auto bob = world.ask_for("/ws", bearer, 0);
    const auto session = testing::field(bob->take().front(), "session");
    bob->stop_reading();  // and so it answers no close
    if (by_operator) {
      const auto doors = world.world.block_on(world.realtime->supervisor().ask(GetDoors{}));
      doors->connections[0].tell(CloseUser{UserId{"bob"}});
    } else {
      world.realtime->supervisor().tell(TokenRevoked{TokenId{token_of_user("bob")}});
    }
    world.world.run_until_idle();
    const auto headers = fmt::format("Authorization: Bearer {},again\r\n", token_of_user("bob"));  // by another token
    auto again = world.ask_for("/ws?session=" + session, headers, 1);
    const auto welcome = again->take();
    REQUIRE_FALSE(welcome.empty());
    CHECK_EQ(testing::field(welcome.front(), "resumed"), "false");
  }
}

TEST_CASE("revocations are forgotten within two minutes, also where nobody is ever connected") {
  RealtimeWorld world;
  const auto remembered = [&] {
    std::string all;
    for (const auto& actor : world.world.block_on(world.world.system().inspect())) {
      for (const auto& [name, value] : actor.details) {
        if (name == "revoked_lately") all += (all.empty() ? "" : " ") + value;
      }
    }
    return all;
  };
  for (int i = 0; i < 10; ++i) {
    world.realtime->supervisor().tell(TokenRevoked{TokenId{fmt::format("t{}", i)}});
    world.world.advance(1s);
  }
  CHECK_EQ(remembered(), "10 10");
  world.world.advance(45s);
  CHECK_EQ(remembered(), "10 10");
  world.world.advance(65s);
  CHECK_EQ(remembered(), "0 0");
  world.realtime->supervisor().tell(TokenRevoked{TokenId{"later"}});
  world.world.advance(1s);
  CHECK_EQ(remembered(), "1 1");
  world.world.advance(60s);
  CHECK_EQ(remembered(), "0 0");
}

}  // namespace
}  // namespace troupe::realtime
