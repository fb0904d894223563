// Permissions that become less while homes are asked where topics stand: nothing of what is forbidden by then comes.
#include <doctest/doctest.h>

#include <algorithm>

#include "troupe/realtime/testing/mine.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::field;
using testing::Frames;
using testing::RealtimeWorld;
using testing::Socket;
using testing::types;

/// Topics of "log" and "own" lie on the disk, and everybody may read those that are named.
RealtimeOptions readable(const std::vector<std::string>& names) {
  RealtimeSettings::Namespaces namespaces;
  for (const auto* name : {"log", "own", "live"}) {
    auto& space = namespaces[name];
    space.durability = std::string_view{name} == "live" ? Durability::memory : Durability::disk;
    if (std::ranges::find(names, name) != names.end())
      space.default_grants = {*Grant::parse(fmt::format("topic:{}.>:subscribe", name))};
  }
  RealtimeOptions options;
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{}, std::move(namespaces));
  return options;
}

void use(RealtimeWorld& world, RealtimeOptions options) {
  world.realtime->supervisor().tell(UseOptions{std::make_shared<const RealtimeOptions>(std::move(options))});
  world.world.run_until_idle();
}

/// Publishes to both three times, and has the routers read them from the disk when they are wanted again.
void fill(RealtimeWorld& world) {
  auto alice = world.connect("alice");
  for (int i = 1; i <= 3; ++i) {
    for (const auto* topic : {"log.a", "own.a", "live.a"}) {
      alice->say(fmt::format(R"({{"type":"publish","id":"p","topic":"{}","payload":{}}})", topic, i));
      world.world.advance(1s);
    }
  }
  for (std::size_t core : {0u, 1u}) testing::corrupt(world, core, alice);
}

std::string epoch(RealtimeWorld& world) {
  auto alice = world.connect("alice");
  alice->say(R"({"type":"history","id":"h","topic":"log.a","limit":1})");
  world.world.advance(1s);
  const auto epoch = field(alice->take().at(0), "epoch");
  for (std::size_t core : {0u, 1u}) testing::corrupt(world, core, alice);
  return epoch;
}

}  // namespace

TEST_CASE("a subscription that is not permitted any more when it could be made is refused, and brings nothing") {
  for (const bool narrows : {false, true}) {
    CAPTURE(narrows);
    RealtimeWorld world{readable({"log", "own"})};
    fill(world);
    const auto from = fmt::format(R"({{"epoch":"{}","offset":0}})", epoch(world));
    auto bob = world.connect_token("bob");
    world.world.faults().journal.delay_max = 500ms;
    bob->say(
        fmt::format(R"({{"type":"subscribe","id":"s","topics":["log.a","own.a"],"recover":{{"log.a":{},"own.a":{}}}}})",
                    from, from));
    world.world.run_until_idle();
    auto alice = world.connect("alice", 1);
    alice->say(R"({"type":"publish","id":"p","topic":"log.a","payload":4})");
    if (narrows) use(world, readable({"own"}));
    world.world.advance(4s);
    const auto frames = bob->take();
    if (!narrows) {
      CHECK_EQ(types(frames), "subscription_confirmed message message message message message message message");
      continue;
    }
    REQUIRE_EQ(types(frames), "error");
    CHECK_EQ(field(frames[0], "code"), "forbidden");
    CHECK_EQ(field(frames[0], "id"), "s");
    alice->say(R"({"type":"publish","id":"p","topic":"own.a","payload":4})");
    world.world.advance(4s);
    CHECK_EQ(types(bob->take()), "");
  }
}

TEST_CASE("what is forbidden ends at once beside a subscription that waits for its home") {
  RealtimeWorld world{readable({"log", "live"})};
  fill(world);
  auto bob = world.connect_token("bob");
  world.exchange(bob, R"({"type":"subscribe","topics":["live.a"]})");
  world.world.faults().journal.delay_max = 500ms;
  bob->say(R"({"type":"subscribe","id":"s","topics":["log.a"]})");
  world.world.run_until_idle();
  use(world, readable({"log"}));
  CHECK_EQ(types(bob->take()), "unsubscribed");
  auto alice = world.connect("alice", 1);
  alice->say(R"({"type":"publish","topic":"live.a","payload":4})");
  world.world.advance(4s);
  CHECK_EQ(types(bob->take()), "subscription_confirmed");
}

TEST_CASE("a subscription that is taken back leaves what was there before its own overflow policy") {
  auto options = readable({"log", "live"});
  RealtimeWorld world{options, 2, {.buffer_bytes = 4096}};
  fill(world);
  auto bob = world.connect_token("bob");
  world.exchange(bob, R"({"type":"subscribe","topics":["live.a"]})");
  world.world.faults().journal.delay_max = 500ms;
  bob->say(R"({"type":"subscribe","id":"s","topics":["live.a","log.a"],"overflow":"latest"})");
  world.world.run_until_idle();
  use(world, readable({"live"}));
  world.world.advance(4s);
  CHECK_EQ(types(bob->take()), "error");
  bob->stop_reading();
  auto alice = world.connect("alice", 1);
  for (int i = 0; i < 5; ++i)
    world.exchange(alice, fmt::format(R"({{"type":"publish","topic":"live.a","payload":"{:x>3000}"}})", ""));
  bob->read_again();
  world.world.advance(1s);
  CHECK_EQ(types(bob->take()), "message message message message message");
}

TEST_CASE("what goes on after a fault of the router is what may be read by then") {
  for (const bool narrows : {false, true}) {
    CAPTURE(narrows);
    RealtimeWorld world{readable({"log", "own"})};
    const auto of_bobs_core = [](std::string topic) {
      while (home_of(topic, 2) != 0) topic += 'x';
      return topic;
    };
    const auto log = of_bobs_core("log.t"), own = of_bobs_core("own.t");
    auto bob = world.connect_token("bob");
    bob->say(fmt::format(R"({{"type":"subscribe","topics":["{}","{}"]}})", log, own));
    world.world.advance(4s);
    REQUIRE_EQ(types(bob->take()), "subscription_confirmed");
    auto alice = world.connect("alice", 1);
    world.world.faults().journal.delay_max = 2s;
    const auto mine = testing::lay(testing::router_of(world, 0), "mine", world);
    alice->say(R"({"type":"publish","topic":"mine","payload":0})");
    world.world.advance(100ms);
    REQUIRE(mine->lost);
    if (narrows) use(world, readable({"own"}));
    for (const auto& topic : {log, own})
      alice->say(fmt::format(R"({{"type":"publish","topic":"{}","payload":4}})", topic));
    world.world.advance(30s);
    const auto frames = bob->take();
    const auto naming = [&](std::string_view topic) {
      Frames of_it = frames;
      std::erase_if(of_it, [&](const std::string& frame) { return !frame.contains(topic); });
      return types(of_it);
    };
    CHECK_EQ(naming(own), "restarted message");
    CHECK_EQ(naming(log), narrows ? "unsubscribed" : "restarted message");
  }
}

TEST_CASE("a session that may read less by the time its topics were found goes on without the others") {
  RealtimeWorld world{readable({"log", "own", "live"})};
  fill(world);
  auto bob = world.ask_for("/ws", "Authorization: Bearer bob\r\n");
  const auto session = field(bob->take().at(0), "session");
  bob->say(R"({"type":"subscribe","topics":["log.a","own.a","live.*"]})");
  world.world.advance(1s);
  const auto confirmed = bob->take();
  REQUIRE_EQ(types(confirmed), "subscription_confirmed");
  const auto from = fmt::format(R"({{"epoch":"{}","offset":0}})", field(confirmed[0], "epoch"));
  bob->vanish();
  auto alice = world.connect("alice", 1);
  for (std::size_t core : {0u, 1u}) testing::corrupt(world, core, alice);

  bob = world.ask_for("/ws?session=" + session, "Authorization: Bearer bob\r\n");
  CHECK_EQ(field(bob->take().at(0), "resumed"), "true");
  world.world.faults().journal.delay_max = 500ms;
  bob->say(fmt::format(R"({{"type":"resume","id":"r","positions":{{"log.a":{},"own.a":{}}}}})", from, from));
  world.world.run_until_idle();
  use(world, readable({"own", "live"}));
  world.world.advance(4s);
  const auto frames = bob->take();
  REQUIRE_EQ(types(frames), "unsubscribed resumed message message message");
  CHECK(frames[0].contains(R"("topics":["log.a"])"));
  CHECK_FALSE(frames[1].contains("log.a"));
  CHECK(frames[1].contains("live.*"));
  for (std::size_t i = 2; i < frames.size(); ++i) CHECK_EQ(field(frames[i], "topic"), "own.a");
  for (const auto* topic : {"log.a", "own.a", "live.a"}) {
    alice->say(fmt::format(R"({{"type":"publish","topic":"{}","payload":4}})", topic));
    world.world.advance(4s);
  }
  CHECK_EQ(types(bob->take()), "message message");
}

}  // namespace troupe::realtime
