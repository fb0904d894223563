// Recovery of patterns: what was missed of all their topics, once and in order, or nothing; and the positions of the
// shards are true after each message, so that it goes on wherever a socket is cut.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "troupe/actor/sim/explore.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::field;
using testing::Frames;
using testing::RealtimeWorld;
using testing::Socket;
using testing::token_of_user;
using testing::types;

/// What a client keeps of a pattern: the text of each shard's epoch, and how far it is there.
struct Shards {
  struct At {
    std::string epoch;
    std::uint64_t seq = 0;
  };
  std::map<std::string, At> at;

  /// Takes what a confirmation says of its only entry.
  void confirm(const std::string& frame) {
    at.clear();
    auto rest = std::string_view{frame}.substr(frame.find(R"("shards":{)") + 10);
    while (rest.starts_with('"')) {
      auto name = std::string{rest.substr(1, rest.find('"', 1) - 1)};
      at[name] = {field(rest, "epoch"), std::stoull(field(rest, "seq"))};
      rest.remove_prefix(rest.find('}') + 1);
      if (rest.starts_with(',')) rest.remove_prefix(1);
    }
  }
  void advance(const std::string& frame) {
    auto& shard = at.at(field(frame, "shard"));
    CHECK_GE(std::stoull(field(frame, "seq")), shard.seq);  // of one shard in its order
    shard.seq = std::stoull(field(frame, "seq"));
  }
  /// As `recover` and `positions` take it.
  std::string text() const {
    std::string shards;
    for (const auto& [name, position] : at) {
      shards += fmt::format(R"({}"{}":{{"epoch":"{}","seq":{}}})", shards.empty() ? "" : ",", name, position.epoch,
                            position.seq);
    }
    return fmt::format(R"({{"shards":{{{}}}}})", shards);
  }
};

std::string subscribe(std::string_view topics, std::string_view recover = "") {
  return fmt::format(R"({{"type":"subscribe","id":"s","topics":[{}],"recover":{{{}}}}})", topics, recover);
}

Frames publish(RealtimeWorld& world, Socket& socket, std::string_view topic, int payload) {
  return world.exchange(socket, fmt::format(R"({{"type":"publish","topic":"{}","payload":{}}})", topic, payload));
}

/// The topics of messages with their offsets, by topic and in the order in which they came.
std::map<std::string, std::string> by_topic(const Frames& frames) {
  std::map<std::string, std::string> offsets;
  for (const auto& frame : frames) {
    if (field(frame, "type") == "message") offsets[field(frame, "topic")] += field(frame, "offset") + " ";
  }
  return offsets;
}
using ByTopic = std::map<std::string, std::string>;

TEST_CASE(
    "who comes back to a pattern gets what its topics have published meanwhile, each in order, then what is live") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  Shards shards;
  shards.confirm(world.exchange(bob, subscribe(R"("t.*")"))[0]);
  CHECK_EQ(shards.at.size(), 2);
  for (auto topic : {"t.a", "t.b", "t.c"}) publish(world, alice, topic, 1);
  for (const auto& frame : bob->take()) shards.advance(frame);
  bob->vanish();
  world.world.run_until_idle();
  for (auto topic : {"t.a", "u.a", "t.b", "t.a", "t.c", "t.d"}) publish(world, alice, topic, 2);

  bob = world.connect("bob", 1);
  auto frames = world.exchange(bob, subscribe(R"("t.*")", R"("t.*":)" + shards.text()));
  REQUIRE_EQ(types(frames), "subscription_confirmed message message message message message");
  CHECK_EQ(field(frames[0], "recovered"), "true");
  CHECK_EQ(by_topic(frames), ByTopic{{"t.a", "2 3 "}, {"t.b", "2 "}, {"t.c", "2 "}, {"t.d", "1 "}});
  for (std::size_t i = 1; i < frames.size(); ++i) shards.advance(frames[i]);
  publish(world, alice, "t.a", 3);
  auto live = bob->take();
  REQUIRE_EQ(types(live), "message");
  shards.advance(live[0]);
}

TEST_CASE("a recovered message is the frame that it was live, in text and in binary") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  auto bob = world.connect("bob");
  Shards shards;
  shards.confirm(world.exchange(bob, subscribe(R"("t.*")"))[0]);
  world.exchange(alice, R"({"type":"publish","topic":"t.a","payload":{"x": [1]}})");
  alice->send(wire::Opcode::binary, "{\"type\":\"publish\",\"topic\":\"t.a\"}\nbytes\n}");
  world.world.run_until_idle();
  auto live = bob->take();
  REQUIRE_EQ(live.size(), 2);
  auto again = world.exchange(bob, subscribe(R"("t.*")", R"("t.*":)" + shards.text()));
  REQUIRE_EQ(again.size(), 3);
  CHECK_EQ(again[1], live[0]);
  CHECK_EQ(again[2], live[1]);
}

TEST_CASE("a pattern that cannot be recovered completely is not recovered at all") {
  RealtimeOptions options;
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{.history = {.count_max = 2}});
  RealtimeWorld world{options};
  auto alice = world.connect("alice");
  Shards start;
  start.confirm(world.exchange(alice, subscribe(R"("t.*","u.*")"))[0]);
  for (int i = 0; i < 3; ++i) publish(world, alice, "t.a", i);
  for (auto topic : {"t.b", "t.c", "t.d", "t.e", "u.a", "u.b"}) publish(world, alice, topic, 0);
  auto recover = [&](std::string_view pattern, const Shards& from) {
    alice->take();
    auto frames = world.exchange(
        alice, subscribe(fmt::format(R"("{}")", pattern), fmt::format(R"("{}":{})", pattern, from.text())));
    return field(frames[0], "recovered") + " " + std::to_string(frames.size() - 1);
  };
  CHECK_EQ(recover("t.*", start), "false 0");  // t.a has lost its first
  CHECK_EQ(recover("u.*", start), "true 2");
  Shards other = start;
  other.at["0"].epoch = "other";
  CHECK_EQ(recover("u.*", other), "false 0");
  Shards beyond = start;
  beyond.at["1"].seq = 1000;
  CHECK_EQ(recover("u.*", beyond), "false 0");
  Shards unnamed = start;
  unnamed.at.erase("0");
  CHECK_EQ(recover("u.*", unnamed), "false 0");
  Shards unknown = start;
  unknown.at["2"] = {"e", 0};  // a server with three cores it was
  CHECK_EQ(recover("u.*", unknown), "false 0");
}

TEST_CASE("a pattern of more messages than an outbox may hold is not recovered") {
  RealtimeOptions options;
  options.connection.outbox.recovered_max = 5;
  RealtimeWorld world{options};
  auto alice = world.connect("alice");
  Shards start;
  start.confirm(world.exchange(alice, subscribe(R"("t.*")"))[0]);
  for (int i = 0; i < 6; ++i) publish(world, alice, fmt::format("t.{}", i), i);
  auto bob = world.connect("bob");
  auto frames = world.exchange(bob, subscribe(R"("t.*")", R"("t.*":)" + start.text()));
  REQUIRE_EQ(types(frames), "subscription_confirmed");
  CHECK_EQ(field(frames[0], "recovered"), "false");
}

TEST_CASE("a name and patterns of one frame that overlap bring each message once, from where the earliest begins") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  Shards start, later;
  start.confirm(world.exchange(alice, subscribe(R"("t.*")"))[0]);
  auto epoch = field(publish(world, alice, "t.a", 1)[0], "epoch");
  later.confirm(world.exchange(alice, subscribe(R"("t.*")"))[0]);
  for (auto topic : {"t.a", "t.b", "t.a"}) publish(world, alice, topic, 2);
  struct Row {
    int name_at;
    Shards star, rest;
  };
  for (const auto& [name_at, star, rest] : {Row{0, later, later}, {2, start, later}, {2, later, start}}) {
    auto bob = world.connect("bob", 1);
    auto frames = world.exchange(
        bob, subscribe(R"("t.a","t.*",">")", fmt::format(R"("t.a":{{"epoch":"{}","offset":{}}},"t.*":{},">":{})", epoch,
                                                         name_at, star.text(), rest.text())));
    CHECK_EQ(by_topic(frames), ByTopic{{"t.a", "1 2 3 "}, {"t.b", "1 "}});
  }
}

TEST_CASE("a session that goes on recovers its patterns too") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  auto bob = world.ask_for("/ws", fmt::format("Authorization: Bearer {}\r\n", token_of_user("bob")), 0);
  auto session = field(bob->take()[0], "session");
  Shards shards;
  shards.confirm(world.exchange(bob, subscribe(R"("t.*")"))[0]);
  bob->vanish();
  world.world.run_until_idle();
  for (auto topic : {"t.a", "t.b"}) publish(world, alice, topic, 1);
  bob = world.ask_for("/ws?session=" + session, fmt::format("Authorization: Bearer {}\r\n", token_of_user("bob")), 1);
  bob->take();
  auto frames =
      world.exchange(bob, fmt::format(R"({{"type":"resume","id":"r","positions":{{"t.*":{}}}}})", shards.text()));
  REQUIRE_EQ(types(frames), "resumed message message");
  CHECK_EQ(field(frames[0], "recovered"), "true");
}

TEST_CASE("what a pattern brings keeps the order of its shard, whatever its priority") {
  RealtimeWorld world{{}, 1, {.buffer_bytes = 4096}};
  auto reader = world.connect("reader");
  auto writer = world.connect("writer");
  Shards shards;
  shards.confirm(world.exchange(reader, subscribe(R"(">")"))[0]);
  reader->stop_reading();
  std::string large(3000, 'x');
  for (int i = 0; i < 12; ++i) {
    world.exchange(writer, fmt::format(R"({{"type":"publish","topic":"t{}","priority":"{}","payload":"{}"}})", i,
                                       i % 2 == 0 ? "low" : "high", large));
  }
  reader->read_again();
  world.world.run_until_idle();
  auto frames = reader->take();
  CHECK_EQ(frames.size(), 12);
  for (const auto& frame : frames) shards.advance(frame);
}

// A client of a pattern that is cut at any time and goes on from its positions. What it has had of a topic tells it
// what comes again.
struct Follower {
  RealtimeWorld& world;
  std::size_t core;
  Socket socket;
  Shards shards;
  std::map<std::string, std::int64_t> seen{};
  std::string_view overflow{};
  bool began = false;
  int recoveries = 0;
  int gaps = 0;
  int spilled = 0;

  void connect() {
    socket = world.connect("bob", core);
    socket->say(fmt::format(R"({{"type":"subscribe","topics":["t.*"],"overflow":"{}","recover":{{{}}}}})", overflow,
                            began ? R"("t.*":)" + shards.text() : ""));
  }
  /// Subscribes to a name that lies in the pattern, or to another pattern that brings a part of it, or no more; what
  /// comes is the same.
  void change_others(base::Random& random) {
    socket->say(fmt::format(R"({{"type":"{}","id":"other","topics":["{}.{}"]}})",
                            random.below(2) == 0 ? "subscribe" : "unsubscribe", random.below(2) == 0 ? "t" : "*",
                            random.below(5)));
  }
  void take() {
    for (const auto& frame : socket->take()) {
      CAPTURE(frame);
      if (field(frame, "type") == "welcome" || field(frame, "id") == "other") continue;
      if (field(frame, "type") == "subscription_confirmed") {
        CHECK_EQ(field(frame, "recovered"), began ? "true" : "false");
        recoveries += began ? 1 : 0;
        if (!std::exchange(began, true)) shards.confirm(frame);
        continue;
      }
      const bool gap = field(frame, "type") == "gap";
      gaps += gap ? 1 : 0;
      auto& last = seen[field(frame, "topic")];
      CHECK_LE(std::stoll(field(frame, gap ? "from" : "offset")), last + 1);
      last = std::max<std::int64_t>(last, std::stoll(field(frame, gap ? "to" : "offset")));
      if (frame.contains(R"("shard":)")) {
        shards.advance(frame);
      } else if (!gap) {
        ++spilled;
      }
    }
  }
};

TEST_CASE("wherever its socket is cut, a pattern goes on without hole, whatever is published meanwhile") {
  int recoveries = 0, gaps = 0, spilled = 0;
  RealtimeOptions options;
  options.connection.outbox.messages_max = 6;
  actor::test::explore(
      {.schedules = 60},
      [&](actor::test::Seed seed) {
        RealtimeWorld world{options,
                            seed,
                            {.buffer_bytes = 1024, .faults = {.short_write_in = 3, .delay_max = 2ms}},
                            {.timer_delay_max = 5ms, .ring_full = {3}}};
        base::SeededRandom random{seed.number};
        auto alice = world.connect("alice", 0);
        auto carol = world.connect("carol", 1);
        Follower bob{world, seed.number % 2, {}, {}, {}, seed.number % 4 < 2 ? "spill" : "drop_oldest"};
        bob.connect();
        world.world.advance(100ms);
        bob.take();
        std::map<std::string, int> published;
        for (int round = 0; round < 150; ++round) {
          auto& writer = random.below(2) == 0 ? alice : carol;
          auto topic = fmt::format("t.{}", random.below(5));
          ++published[topic];
          writer->say(fmt::format(R"({{"type":"publish","topic":"{}","payload":"{:0>40}"}})", topic, round));
          if (random.below(3) == 0) world.world.run(random.below(30));
          bob.take();
          if (random.below(8) == 0) bob.socket->stop_reading();
          if (random.below(4) == 0) bob.socket->read_again();
          if (random.below(4) == 0) bob.change_others(random);
          if (random.below(12) == 0) {
            bob.socket->vanish();
            bob.connect();
          }
        }
        bob.socket->read_again();
        world.world.advance(1s);
        bob.take();
        for (const auto& [topic, count] : published) CHECK_EQ(bob.seen[topic], count);
        recoveries += bob.recoveries;
        gaps += bob.gaps;
        spilled += bob.spilled;
      },
      [&] {
        CHECK_GT(recoveries, 80);
        CHECK_GT(gaps, 10);
        CHECK_GT(spilled, 10);
      });
}

TEST_CASE("a pattern begins behind the place that is confirmed, whatever was on its way to others of its core") {
  int begun = 0, messages = 0;
  actor::test::explore(
      {.schedules = 100},
      [&](actor::test::Seed seed) {
        RealtimeWorld world{{}, seed, {.faults = {.delay_max = 2ms}}, {.timer_delay_max = 5ms}};
        base::SeededRandom random{seed.number};
        auto alice = world.connect("alice", 0), dan = world.connect("dan", 1), bob = world.connect("bob", 1);
        world.world.advance(100ms);
        Shards shards;
        bool wanted = false, there = false;
        for (int round = 0; round < 200; ++round) {
          alice->say(fmt::format(R"({{"type":"publish","topic":"t.{}","payload":{}}})", random.below(3), round));
          if (random.below(2) == 0) {
            dan->say(fmt::format(R"({{"type":"{}","topics":["t.{}"]}})",
                                 random.below(2) == 0 ? "subscribe" : "unsubscribe", random.below(3)));
          }
          if (random.below(4) == 0) {
            bob->say(std::exchange(wanted, !wanted) ? R"({"type":"unsubscribe","id":"u","topics":["t.*"]})"
                                                    : subscribe(R"("t.*")"));
          }
          if (random.below(3) == 0) world.world.run(random.below(30));
          if (random.below(3) == 0) world.world.advance(std::chrono::milliseconds{random.below(4)});
          for (const auto& frame : bob->take()) {
            CAPTURE(frame);
            if (field(frame, "type") == "subscription_confirmed") shards.confirm(frame);
            there = field(frame, "id") == "s" || (there && field(frame, "id") != "u");
            begun += field(frame, "id") == "s" ? 1 : 0;
            if (field(frame, "type") != "message") continue;
            ++messages;
            REQUIRE(there);
            REQUIRE(frame.contains(R"("shard":)"));
            CHECK_EQ(std::stoull(field(frame, "seq")), shards.at.at(field(frame, "shard")).seq + 1);
            shards.advance(frame);
          }
        }
      },
      [&] {
        CHECK_GT(begun, 1'000);
        CHECK_GT(messages, 2'000);
      });
}

TEST_CASE(
    "a pattern that is there loses nothing when it is subscribed to again, alone or with names and patterns in it") {
  int repeated = 0, messages = 0;
  for (const auto* overflow : {"drop_oldest", "spill"}) {
    CAPTURE(overflow);
    actor::test::explore({.schedules = 60}, [&](actor::test::Seed seed) {
      RealtimeWorld world{{}, seed, {.buffer_bytes = 1024, .faults = {.delay_max = 2ms}}, {.timer_delay_max = 5ms}};
      base::SeededRandom random{seed.number};
      auto alice = world.connect("alice", 0), bob = world.connect("bob", 1);
      const auto say = [&](std::string_view type, std::string_view topics) {
        const auto more = type == "subscribe" ? fmt::format(R"(,"overflow":"{}")", overflow) : "";
        bob->say(fmt::format(R"({{"type":"{}","id":"s","topics":[{}]{}}})", type, topics, more));
      };
      const auto name = [&] { return fmt::format(R"("t.{}")", random.below(3)); };
      say("subscribe", R"("t.*")");
      world.world.advance(100ms);
      std::map<std::string, std::uint64_t> seen;
      for (int round = 0; round < 200; ++round) {
        alice->say(fmt::format(R"({{"type":"publish","topic":"t.{}","payload":{}}})", random.below(3), round));
        switch (random.below(20)) {
          case 0:
          case 1:
            say("subscribe", R"("t.*")");
            break;
          case 2:
          case 3:
            say("subscribe", name() + R"(,"t.*")");
            break;
          case 4:
            say("subscribe", name());
            break;
          case 5:
            say("subscribe", name() + R"(,"t.>","t.*")");
            break;
          case 6:
          case 7:
            say("unsubscribe", name() + R"(,"t.>")");
            break;
          default:
            break;
        }
        if (random.below(8) == 0) bob->stop_reading();
        if (random.below(4) == 0) bob->read_again();
        if (random.below(3) == 0) world.world.run(random.below(30));
        if (random.below(3) == 0) world.world.advance(std::chrono::milliseconds{random.below(4)});
        if (round == 199) bob->read_again(), world.world.advance(1s);
        for (const auto& frame : bob->take()) {
          CAPTURE(frame);
          repeated += field(frame, "type") == "subscription_confirmed" ? 1 : 0;
          if (field(frame, "type") != "message") continue;
          ++messages;
          auto& last = seen[field(frame, "topic")];
          REQUIRE_EQ(std::stoull(field(frame, "offset")), last + 1);
          last = std::stoull(field(frame, "offset"));
        }
      }
    });
  }
  CHECK_GT(repeated, 1'000);
  CHECK_GT(messages, 10'000);
}

}  // namespace
}  // namespace troupe::realtime
