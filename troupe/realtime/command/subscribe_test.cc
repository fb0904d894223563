// subscribe and unsubscribe: recovery without hole or double, slow readers told what they missed.
#include "troupe/realtime/command/subscribe.h"

#include <doctest/doctest.h>

#include <map>

#include "troupe/actor/sim/explore.h"
#include "troupe/realtime/command/run.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::field;
using testing::RealtimeWorld;
using testing::types;

TEST_CASE("after unsubscribing nothing comes any more") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  world.exchange(alice, R"({"type":"subscribe","topics":["a","b"]})");
  auto frames = world.exchange(alice, R"({"type":"unsubscribe","id":"u","topics":["a","never"]})");
  REQUIRE_EQ(types(frames), "unsubscription_confirmed");
  CHECK_EQ(field(frames[0], "active_subscriptions"), "1");
  frames = world.exchange(alice, R"({"type":"publish","id":"1","topic":"a","payload":1})");
  CHECK_EQ(types(frames), "ack");
  CHECK_EQ(field(frames[0], "delivered_to"), "0");
}

TEST_CASE("nothing comes behind the confirmation that a subscription has ended, and what another one brings is whole") {
  actor::test::explore({.schedules = 40}, [](actor::test::Seed seed) {
    base::SeededRandom random{seed.number};
    RealtimeWorld world{{}, seed};
    auto once = world.connect("once", 0);
    auto twice = world.connect("twice", 0);
    auto bob = world.connect("bob", 1);
    world.exchange(once, R"({"type":"subscribe","topics":["t"]})");
    world.exchange(twice, R"({"type":"subscribe","topics":["t","*"]})");
    for (int i = 0; i < 30; ++i) bob->say(R"({"type":"publish","topic":"t","payload":1})");
    world.world.run(random.below(100));
    for (auto* socket : {&once, &twice}) (*socket)->say(R"({"type":"unsubscribe","id":"u","topics":["t"]})");
    world.world.run_until_idle();
    auto frames = once->take();
    REQUIRE_FALSE(frames.empty());
    CHECK_EQ(field(frames.back(), "type"), "unsubscription_confirmed");
    int next = 1;
    for (const auto& frame : twice->take()) {
      if (field(frame, "type") == "message") CHECK_EQ(field(frame, "offset"), std::to_string(next++));
    }
    CHECK_EQ(next, 31);
  });
}

TEST_CASE("who comes back gets exactly what was missed, then what is live") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  world.exchange(bob, R"({"type":"subscribe","topics":["t"]})");
  auto first = world.exchange(alice, R"({"type":"publish","id":"1","topic":"t","payload":1})");
  auto epoch = field(first[0], "epoch");
  bob->vanish();
  world.world.run_until_idle();
  for (int i = 2; i <= 4; ++i)
    world.exchange(alice, fmt::format(R"({{"type":"publish","topic":"t","payload":{}}})", i));
  bob = world.connect("bob", 1);
  auto frames = world.exchange(
      bob,
      fmt::format(R"({{"type":"subscribe","id":"s","topics":["t"],"recover":{{"t":{{"epoch":"{}","offset":1}}}}}})",
                  epoch));
  REQUIRE_EQ(types(frames), "subscription_confirmed message message message");
  CHECK_EQ(field(frames[0], "recovered"), "true");
  CHECK_EQ(field(frames[0], "offset"), "4");
  for (std::size_t i = 1; i <= 3; ++i) CHECK_EQ(field(frames[i], "payload"), std::to_string(i + 1));
  world.exchange(alice, R"({"type":"publish","topic":"t","payload":5})");
  CHECK_EQ(field(bob->take()[0], "offset"), "5");
}

TEST_CASE("of many topics each goes on from its own place, whatever the order in which they are named") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  std::string topics, recover;
  for (int i = 0; i < 40; ++i) {
    const auto publish = fmt::format(R"({{"type":"publish","id":"1","topic":"t{}","payload":1}})", i);
    const auto epoch = field(world.exchange(alice, publish)[0], "epoch");
    for (int more = 0; more < i % 3; ++more) world.exchange(alice, publish);
    topics += fmt::format("{}\"t{}\"", i > 0 ? "," : "", i);
    if (i % 4 != 3) recover = fmt::format(R"("t{}":{{"epoch":"{}","offset":1}},)", i, epoch) + recover;
  }
  recover.pop_back();
  auto bob = world.connect("bob", 1);
  auto frames =
      world.exchange(bob, fmt::format(R"({{"type":"subscribe","topics":[{}],"recover":{{{}}}}})", topics, recover));
  std::map<std::string, int> missed;
  for (std::size_t i = 1; i < frames.size(); ++i) ++missed[field(frames[i], "topic")];
  for (int i = 0; i < 40; ++i) CHECK_EQ(missed[fmt::format("t{}", i)], i % 4 != 3 ? i % 3 : 0);
}

TEST_CASE("recovery that cannot be complete is refused") {
  RealtimeOptions options;
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{.history = {.count_max = 2}});
  RealtimeWorld world{options};
  auto alice = world.connect("alice");
  auto epoch = field(world.exchange(alice, R"({"type":"publish","id":"1","topic":"t","payload":1})")[0], "epoch");
  for (int i = 0; i < 4; ++i) world.exchange(alice, R"({"type":"publish","topic":"t","payload":1})");
  auto recover = [&](std::string_view from_epoch, int offset) {
    auto frames = world.exchange(
        alice, fmt::format(R"({{"type":"subscribe","topics":["t"],"recover":{{"t":{{"epoch":"{}","offset":{}}}}}}})",
                           from_epoch, offset));
    return field(frames[0], "recovered") + " " + std::to_string(frames.size() - 1);
  };
  CHECK_EQ(recover(epoch, 5), "true 0");
  CHECK_EQ(recover(epoch, 3), "true 2");
  CHECK_EQ(recover(epoch, 2), "false 0");
  CHECK_EQ(recover(epoch, 6), "false 0");
  CHECK_EQ(recover("other", 5), "false 0");
}

TEST_CASE("recovery under live publications has neither hole nor double") {
  actor::test::explore({.schedules = 30}, [&](actor::test::Seed seed) {
    RealtimeWorld world{{}, seed};
    auto alice = world.connect("alice", seed.number % 2);
    auto bob = world.connect("bob", 1);
    auto carol = world.connect("carol", 1);
    world.exchange(carol, R"({"type":"subscribe","topics":["t"]})");  // so that bob's core gets them all the time
    auto epoch = field(world.exchange(alice, R"({"type":"publish","id":"1","topic":"t","payload":1})")[0], "epoch");
    for (int i = 2; i <= 30; ++i) {
      alice->say(R"({"type":"publish","topic":"t","payload":1})");
      if (i == 15) {
        bob->say(fmt::format(R"({{"type":"subscribe","topics":["t"],"recover":{{"t":{{"epoch":"{}","offset":1}}}}}})",
                             epoch));
      }
      if (i % 5 == 0) world.world.advance(1ms);
    }
    world.world.run_until_idle();
    auto frames = bob->take();
    REQUIRE_EQ(field(frames[0], "type"), "subscription_confirmed");
    REQUIRE_EQ(frames.size(), 30);
    for (std::size_t i = 1; i < frames.size(); ++i) CHECK_EQ(field(frames[i], "offset"), std::to_string(i + 1));
  });
}

TEST_CASE(
    "who subscribes again to a name goes on as it was, without hole or double, from the place that is confirmed") {
  actor::test::explore({.schedules = 30}, [&](actor::test::Seed seed) {
    RealtimeWorld world{{}, seed};
    auto alice = world.connect("alice", seed.number % 2);
    auto bob = world.connect("bob", 1);
    world.exchange(bob, R"({"type":"subscribe","topics":["t"]})");
    for (int i = 1; i <= 30; ++i) {
      alice->say(R"({"type":"publish","topic":"t","payload":1})");
      if (i % 3 == 0) bob->say(R"({"type":"subscribe","topics":["t"]})");
      if (i % 5 == 0) world.world.advance(1ms);
    }
    world.world.run_until_idle();
    int last = 0;
    for (const auto& frame : bob->take()) {
      CAPTURE(frame);
      const bool confirms = field(frame, "type") == "subscription_confirmed";
      CHECK_EQ(field(frame, "offset"), std::to_string(confirms ? last : ++last));
    }
    CHECK_EQ(last, 30);
  });
}

TEST_CASE("a slow reader is told exactly what it missed, and nobody else is disturbed") {
  RealtimeOptions options;
  options.connection.outbox.messages_max = 10;
  options.connection.frames = {.per_second = 1e6, .burst = 1e6};
  RealtimeWorld world{options, 1, {.buffer_bytes = 4096}};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  auto quick = world.connect("quick", 1);
  for (auto* socket : {&slow, &quick}) world.exchange(*socket, R"({"type":"subscribe","topics":["t"]})");
  slow->stop_reading();
  for (int i = 0; i < 200; ++i) {
    auto ack = world.exchange(
        alice, R"({"type":"publish","id":"1","topic":"t","payload":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})");
    REQUIRE_EQ(types(ack), "ack");
    CHECK_EQ(field(ack[0], "delivered_to"), "2");
    CHECK_EQ(quick->take().size(), 1);
  }
  slow->read_again();
  world.world.run_until_idle();
  auto frames = slow->take();
  int next = 1, gaps = 0;
  for (const auto& frame : frames) {
    if (field(frame, "type") == "gap") {
      CHECK_EQ(field(frame, "from"), std::to_string(next));
      next = std::stoi(field(frame, "to")) + 1;
      ++gaps;
    } else {
      CHECK_EQ(field(frame, "offset"), std::to_string(next++));
    }
  }
  CHECK_EQ(next, 201);
  CHECK_EQ(gaps, 1);
}

TEST_CASE("a slow reader that subscribes again is told what it misses before the confirmation before that") {
  RealtimeOptions options;
  options.connection.outbox.messages_max = 4;
  RealtimeWorld world{options, 1, {.buffer_bytes = 1024}};
  auto slow = world.connect("slow");
  auto bob = world.connect("bob", 1);
  const auto publish = [&](int count) {
    for (int i = 0; i < count; ++i) {
      world.exchange(bob, R"({"type":"publish","topic":"t","payload":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})");
    }
  };
  world.exchange(slow, R"({"type":"subscribe","topics":["t"]})");
  slow->stop_reading();
  publish(40);
  slow->say(R"({"type":"subscribe","topics":["t"]})");
  world.world.run_until_idle();
  publish(20);  // which push out what waits on either side of the confirmation
  slow->read_again();
  world.world.run_until_idle();
  int next = 1, gaps = 0;
  for (const auto& frame : slow->take()) {
    CAPTURE(frame);
    const auto type = field(frame, "type");
    if (type == "gap") {
      CHECK_EQ(field(frame, "from"), std::to_string(next));
      next = std::stoi(field(frame, "to")) + 1;
      ++gaps;
    } else if (type == "subscription_confirmed") {
      CHECK_EQ(field(frame, "offset"), std::to_string(next - 1));
      CHECK_EQ(next, 41);
    } else {
      CHECK_EQ(field(frame, "offset"), std::to_string(next++));
    }
  }
  CHECK_EQ(next, 61);
  CHECK_EQ(gaps, 2);
}

TEST_CASE("of many names at once each goes on where the pattern is that brings it, and the others begin at the top") {
  RealtimeWorld world;
  auto reader = world.connect("reader");
  auto bob = world.connect("bob", 1);
  const auto publish = [&](std::string_view topic) {
    world.exchange(bob, fmt::format(R"({{"type":"publish","topic":"{}","payload":1}})", topic));
  };
  constexpr int many = 40;  // of either kind
  std::string names;
  for (int i = 0; i < many; ++i) names += fmt::format(R"({}"in.{}","out.{}")", i == 0 ? "" : ",", i, i);
  world.exchange(reader, R"({"type":"subscribe","topics":["in.*","other.*.x"]})");
  reader->say(fmt::format(R"({{"type":"subscribe","topics":[{}]}})", names));
  for (int i = 0; i < many; ++i) publish(fmt::format("in.{}", i));
  for (int i = 0; i < many; ++i) publish(fmt::format("out.{}", i));
  world.exchange(bob, R"({"type":"ping"})");
  std::map<std::string, int> next;
  for (const auto& frame : reader->take()) {
    if (field(frame, "type") == "message")
      CHECK_EQ(field(frame, "offset"), std::to_string(++next[field(frame, "topic")]));
  }
  CHECK_EQ(next.size(), 2 * many);
}

}  // namespace
}  // namespace troupe::realtime
