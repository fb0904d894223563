// A router whose tables are corrupted starts anew: every connection stays, goes on where it was, gets nothing twice and
// is told what is lost, whatever was under way.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "troupe/actor/sim/explore.h"
#include "troupe/realtime/protocol/history_recording.h"
#include "troupe/realtime/testing/beside.h"
#include "troupe/realtime/testing/mine.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::corrupt;
using testing::field;
using testing::Frames;
using testing::lay;
using testing::Mine;
using testing::RealtimeWorld;
using testing::router_of;
using testing::Socket;
using testing::token_of_user;
using testing::types;

std::string topic_of(std::size_t home, std::size_t cores, std::string_view begin = "t") {
  std::string topic{begin};
  while (home_of(topic, cores) != home) topic += 'x';
  return topic;
}

Frames publish(RealtimeWorld& world, Socket& socket, std::string_view topic, int payload, std::string_view more = "") {
  return world.exchange(
      socket, fmt::format(R"({{"type":"publish","id":"p","topic":"{}","payload":{}{}}})", topic, payload, more));
}

/// What came, but for what is said of the client's own inbox.
Frames take_topics(Socket& socket) {
  auto frames = socket->take();
  std::erase_if(frames, [](const auto& frame) { return frame.contains(R"("topic":"$user.)"); });
  return frames;
}

TEST_CASE("topics whose home stays go on without hole, double or a word; of the others the new epoch is told") {
  for (std::size_t broken : {0UL, 1UL}) {
    CAPTURE(broken);
    RealtimeWorld world;
    auto alice = world.connect("alice", 0);
    auto bob = world.connect("bob", 1);
    auto stays = topic_of(1 - broken, 2), goes = topic_of(broken, 2);
    for (auto* socket : {&alice, &bob}) {
      world.exchange(*socket, fmt::format(R"({{"type":"subscribe","topics":["{}","{}"]}})", stays, goes));
    }
    auto old_epoch = field(publish(world, alice, goes, 1).back(), "epoch");
    publish(world, alice, stays, 1);
    bob->take();
    corrupt(world, broken, alice);
    for (auto* socket : {&alice, &bob}) {
      auto frames = take_topics(*socket);
      REQUIRE_EQ(types(frames), "restarted");
      CHECK(frames[0].contains(fmt::format(R"("topics":[{{"topic":"{}","epoch":")", goes)));
      CHECK_FALSE(frames[0].contains(fmt::format(R"("topic":"{}")", stays)));
      CHECK_NE(field(frames[0], "epoch"), old_epoch);
      CHECK_EQ(field(frames[0], "offset"), "0");
      CHECK_FALSE((*socket)->close_code().has_value());
    }
    auto frames = publish(world, alice, goes, 2);
    REQUIRE_EQ(types(frames), "message ack");
    CHECK_EQ(field(frames[1], "delivered_to"), "2");
    CHECK_EQ(field(frames[0], "offset"), "1");
    frames = publish(world, alice, stays, 2);
    CHECK_EQ(field(frames[0], "offset"), "2");
    CHECK_EQ(types(bob->take()), "message message");
    CHECK_EQ(types(world.exchange(bob, R"({"type":"unsubscribe","id":"u","topics":["t"]})")),
             "unsubscription_confirmed");
  }
}

TEST_CASE("what is published while the tables are empty comes afterwards, once, by name and by pattern") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  auto carol = world.connect("carol", 1);
  auto topic = topic_of(0, 2);  // whose home stays; the tables of bob's core go
  world.exchange(bob, fmt::format(R"({{"type":"subscribe","topics":["{}"]}})", topic));
  world.exchange(carol, R"({"type":"subscribe","topics":["*"]})");
  publish(world, alice, topic, 1);
  bob->take(), carol->take();
  auto mine = lay(router_of(world, 1), "mine", world);
  alice->say(R"({"type":"publish","topic":"mine","payload":0})");
  for (int i = 2; i <= 30; ++i) {
    alice->say(fmt::format(R"({{"type":"publish","topic":"{}","payload":{}}})", topic, i));
    world.world.run(3);
  }
  world.world.advance(1s);
  CHECK(mine->lost);
  for (auto* socket : {&bob, &carol}) {
    int next = 2;
    for (const auto& frame : (*socket)->take()) {
      if (field(frame, "topic") != topic) continue;  // `mine`, and what is told of the other home
      REQUIRE_EQ(field(frame, "type"), "message");
      CHECK_EQ(field(frame, "offset"), std::to_string(next++));
    }
    CHECK_EQ(next, 31);
  }
}

TEST_CASE("the message that met the fault comes to those who had not got it, and not again to those who had") {
  for (std::size_t cores : {1UL, 2UL}) {
    RealtimeWorld world{{}, 1, {}, {}, cores};
    const auto core = cores - 1;
    auto alice = world.connect("alice", 0);
    auto topic = topic_of(0, cores);
    auto before = world.connect("before", core);
    world.exchange(before, fmt::format(R"({{"type":"subscribe","topics":["{}"]}})", topic));
    auto mine = lay(router_of(world, core), topic, world);
    auto behind = world.connect("behind", core);
    world.exchange(behind, fmt::format(R"({{"type":"subscribe","topics":["{}"]}})", topic));
    alice->say(fmt::format(R"({{"type":"publish","topic":"{}","payload":1}})", topic));
    world.world.advance(1s);
    CHECK(mine->lost);
    // On one core the home has gone with the tables, and who had not got it is told of the new epoch.
    CHECK_EQ(types(take_topics(before)), cores == 2 ? "message" : "message restarted");
    CHECK_EQ(types(take_topics(behind)), cores == 2 ? "message" : "restarted");
  }
}

TEST_CASE("what is no longer kept is told, and what is kept of it comes") {
  RealtimeOptions options;
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{.history = {.count_max = 2}});
  RealtimeWorld world{options};
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  auto topic = topic_of(0, 2);
  world.exchange(bob, fmt::format(R"({{"type":"subscribe","topics":["{}"]}})", topic));
  publish(world, alice, topic, 1);
  bob->take();
  auto mine = lay(router_of(world, 1), topic, world);
  for (int i = 2; i <= 9; ++i) alice->say(fmt::format(R"({{"type":"publish","topic":"{}","payload":{}}})", topic, i));
  world.world.advance(1s);
  CHECK(mine->lost);
  auto frames = take_topics(bob);
  Offset next = 2;
  for (const auto& frame : frames) {
    if (field(frame, "type") == "restarted") {
      CHECK_GE(std::stoull(field(frame, "offset")) + 1, next);
      next = std::stoull(field(frame, "offset")) + 1;
    } else {
      CHECK_EQ(std::stoull(field(frame, "offset")), next++);
    }
  }
  CHECK_EQ(next, 10);
}

TEST_CASE("who has missed more than may wait for it closes with 1012, and nobody else") {
  RealtimeOptions options;
  options.connection.outbox.recovered_max = 5;
  RealtimeWorld world{options};
  auto alice = world.connect("alice", 0);
  auto much = world.connect("much", 1);
  auto little = world.connect("little", 1);
  const auto topic = topic_of(0, 2), other = topic_of(0, 2, "u");
  world.exchange(much, fmt::format(R"({{"type":"subscribe","topics":["{}"]}})", topic));
  world.exchange(little, fmt::format(R"({{"type":"subscribe","topics":["{}"]}})", other));
  auto mine = lay(router_of(world, 1), topic, world);
  for (int i = 1; i <= 20; ++i) alice->say(fmt::format(R"({{"type":"publish","topic":"{}","payload":{}}})", topic, i));
  alice->say(fmt::format(R"({{"type":"publish","topic":"{}","payload":0}})", other));
  world.world.advance(1s);
  CHECK(mine->lost);
  CHECK_EQ(much->close_code(), 1012);
  CHECK_FALSE(alice->close_code().has_value());
  CHECK_FALSE(little->close_code().has_value());
  CHECK_EQ(types(take_topics(little)), "message");
}

TEST_CASE("whom the router does not take back in ten tries closes with 1012, and others go on") {
  RealtimeWorld world;
  auto beside = testing::open_beside(world, {});
  auto alice = world.connect("alice", 0);
  auto lost = beside.connect(world);
  const auto topic = topic_of(1, 2);
  for (auto* socket : {&alice, &lost}) {
    world.exchange(*socket, fmt::format(R"({{"type":"subscribe","topics":["{}"]}})", topic));
  }
  (*beside.routers)[0] = {};
  auto mine = lay(router_of(world, 0), "mine", world);
  alice->say(R"({"type":"publish","topic":"mine","payload":0})");
  world.world.advance(400ms);
  CHECK(mine->lost);
  CHECK_FALSE(lost->close_code().has_value());  // it still tries
  world.world.advance(2s);
  CHECK_EQ(lost->close_code(), 1012);
  CHECK_FALSE(alice->close_code().has_value());
  alice->take();  // that its inbox began anew
  CHECK_EQ(types(publish(world, alice, topic, 1)), "message ack");
}

TEST_CASE("direct messages go on, and an inbox that is lost with its home is told") {
  for (std::size_t broken : {0UL, 1UL}) {
    CAPTURE(broken);
    RealtimeWorld world;
    std::string user = "bob";
    while (home_of(inbox_topic(UserId{user}), 2) != 0) user += 'b';
    auto alice = world.connect("alice", 1 - broken);
    auto bob = world.connect(user, 1);
    auto direct = [&](int payload) {
      return world.exchange(alice,
                            fmt::format(R"({{"type":"direct","id":"d","user":"{}","payload":{}}})", user, payload));
    };
    direct(1);
    CHECK_EQ(types(bob->take()), "direct");
    corrupt(world, broken, alice);
    auto frames = bob->take();
    if (broken == 1) {
      CHECK(std::ranges::none_of(frames, [](const auto& frame) { return frame.contains("$user"); }));
    } else {
      CHECK(std::ranges::any_of(frames, [](const auto& frame) {
        return frame.starts_with(R"({"type":"restarted","topics":[{"topic":"$user.)");
      }));
    }
    auto ack = direct(2);
    CHECK_NE(field(ack.back(), "connections"), "[]");
    frames = bob->take();
    REQUIRE_EQ(types(frames), "direct");
    CHECK_EQ(field(frames[0], "payload"), "2");
  }
}

TEST_CASE("of direct messages that are lost meanwhile a gap tells those that had not come before") {
  RealtimeOptions options;
  options.router.inboxes.limits.count_max = 2;
  RealtimeWorld world{options};
  std::string user = "bob";
  while (home_of(inbox_topic(UserId{user}), 2) != 0) user += 'b';
  auto alice = world.connect("alice", 0);
  auto bob = world.connect(user, 1);
  const auto direct = fmt::format(R"({{"type":"direct","user":"{}","payload":1}})", user);
  for (int i = 1; i <= 3; ++i) world.exchange(alice, direct);
  CHECK_EQ(types(bob->take()), "direct direct direct");
  const auto mine = lay(router_of(world, 1), "mine", world);
  alice->say(R"({"type":"publish","topic":"mine","payload":0})");
  for (int i = 4; i <= 6; ++i) alice->say(direct);
  world.world.advance(1s);
  CHECK(mine->lost);
  const auto frames = bob->take();
  REQUIRE_EQ(types(frames), "gap direct direct");
  CHECK_EQ(field(frames[0], "from"), "4");
  CHECK_EQ(field(frames[0], "to"), "4");
  CHECK_EQ(field(frames[1], "offset"), "5");
}

TEST_CASE("presence neither joins nor leaves over it, and commands go on") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  for (auto* socket : {&alice, &bob}) {
    world.exchange(*socket, R"({"type":"subscribe","topics":["t"],"presence":true})");
  }
  world.world.advance(1s);
  alice->take(), bob->take();
  corrupt(world, 0, alice);
  for (auto* socket : {&alice, &bob}) {
    for (const auto& frame : (*socket)->take()) CHECK_NE(field(frame, "type"), "presence_changed");
  }
  auto state = world.exchange(bob, R"({"type":"presence","topic":"t","id":"1"})");
  CHECK_EQ(field(state[0], "count"), "2");
  CHECK_EQ(types(world.exchange(bob, R"({"type":"subscribe","topics":["u"],"id":"2"})")), "subscription_confirmed");
}

// A connection whose traffic is recorded for the judge.
struct Observed {
  std::string name;
  Socket socket;
  int said = 0;
  std::map<std::string, std::string> at{};  // by topic: epoch and offset of what it was told last
};

std::string place(std::string_view entry, std::string_view number = "offset") {
  return field(entry, "epoch") + " " + field(entry, number);
}

struct Judge {
  HistoryChecker checker;
  HistoryRecording recording{checker};
  int restarted = 0;

  void say(Observed& one, const std::string& frame) {
    take(one);
    REQUIRE(recording.line(fmt::format(R"({{"observer":"{}","sent":{}}})", one.name, frame)).has_value());
    one.socket->say(frame);
  }
  void take(Observed& one) {
    for (const auto& frame : one.socket->take()) {
      REQUIRE(recording.line(fmt::format(R"({{"observer":"{}","received":{}}})", one.name, frame)).has_value());
      const auto type = field(frame, "type");
      restarted += type == "restarted" ? 1 : 0;
      if (type == "message" || type == "gap")
        one.at[field(frame, "topic")] = place(frame, type == "gap" ? "to" : "offset");
      if (type != "restarted" && type != "subscription_confirmed") continue;
      for (auto from = frame.find(R"({"topic":)"); from != frame.npos; from = frame.find(R"({"topic":)", from + 1)) {
        auto entry = std::string_view{frame}.substr(from);
        entry = entry.substr(0, entry.find('}') + 1);
        if (!entry.contains("shards")) one.at[field(entry, "topic")] = place(entry);
      }
    }
  }
};

// Clients that publish and subscribe at random, while mines lie about. The first of them has a pattern.
void run_corrupted(actor::test::Seed seed, std::size_t cores, Judge& judge, int& mines) {
  RealtimeWorld world{{}, seed, {.buffer_bytes = 1 << 20}, {.timer_delay_max = 5ms, .ring_full = {3}}, cores};
  base::SeededRandom random{seed.number};
  std::vector<Observed> all;
  for (std::size_t i = 0; i < 5; ++i) {
    all.push_back({fmt::format("o{}", i), world.connect(fmt::format("user{}", i), i % cores)});
  }
  auto take_all = [&] {
    for (auto& each : all) judge.take(each);
  };
  judge.say(all[0], R"({"type":"subscribe","id":"s","topics":["t.*"]})");
  world.world.advance(100ms);
  std::vector<base::LocalRef<Mine>> laid;
  for (int round = 0; round < 120; ++round) {
    auto& one = all[random.below(all.size())];
    auto topic = fmt::format("t.{}", random.below(4));
    const auto dice = random.below(12);
    if (dice == 0 && &one != &all[0]) {
      judge.say(one, fmt::format(R"({{"type":"subscribe","id":"s{}","topics":["{}"]}})", ++one.said, topic));
    } else if (dice == 1 && laid.size() < 3) {  // more at once, and the supervisor gives up
      laid.push_back(lay(router_of(world, random.below(cores)), topic, world));
    } else {
      judge.say(one,
                fmt::format(R"({{"type":"publish","id":"p{}","topic":"{}","payload":{}}})", ++one.said, topic, round));
    }
    if (random.below(3) == 0) world.world.run(random.below(25));
    take_all();
  }
  world.world.advance(30s);
  take_all();
  for (const auto& mine : laid) mines += mine->lost ? 1 : 0;
  judge.checker.finish(false);  // of several new epochs it does not know which is the newest
  for (const auto& violation : judge.checker.violations()) FAIL_CHECK(violation.what);
  Observed probe{"probe", world.connect("probe")};
  for (int i = 0; i < 4; ++i) {
    auto topic = fmt::format("t.{}", i);
    judge.say(probe, fmt::format(R"({{"type":"subscribe","id":"s","topics":["{}"]}})", topic));
    world.world.advance(100ms);
    judge.take(probe);
    for (auto& each : all) {
      CAPTURE(each.name);
      CAPTURE(topic);
      CHECK_FALSE(each.socket->close_code().has_value());
      const bool nothing_new = &each == &all[0] && probe.at[topic].ends_with(" 0");  // told of the shard alone
      if (each.at.contains(topic) && !nothing_new) CHECK_EQ(each.at[topic], probe.at[topic]);
    }
  }
}

TEST_CASE("whenever tables are corrupted, nothing is lost without a word, doubled or out of order") {
  for (std::size_t cores : {1UL, 2UL}) {
    CAPTURE(cores);
    int restarted = 0, mines = 0;
    actor::test::explore(
        {.schedules = 60},
        [&](actor::test::Seed seed) {
          Judge judge;
          run_corrupted(seed, cores, judge, mines);
          restarted += judge.restarted;
        },
        [&] {
          CHECK_GT(mines, 30);
          CHECK_GT(restarted, 30);
        });
  }
}

}  // namespace
}  // namespace troupe::realtime
