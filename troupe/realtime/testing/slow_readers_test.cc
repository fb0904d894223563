// Slow readers under every policy and many schedules: each topic is contiguous or told, and memory stays bounded.
#include <doctest/doctest.h>

#include <map>

#include "troupe/actor/sim/explore.h"
#include "troupe/realtime/protocol/history_checker.h"
#include "troupe/realtime/protocol/history_recording.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using actor::test::explore;
using actor::test::Seed;
using testing::field;
using testing::Frames;
using testing::RealtimeWorld;
using testing::Socket;

RealtimeOptions options_of_all(std::size_t history_count) {
  RealtimeOptions options;
  options.connection.outbox.messages_max = 8;
  options.connection.outbox.spill_page_messages_max = 6;
  options.connection.frames = {.per_second = 1e6, .burst = 1e6};
  const HistoryLimits history{.count_max = history_count};
  options.settings = std::make_shared<const RealtimeSettings>(
      NamespaceOptions{.history = history},
      RealtimeSettings::Namespaces{{"wait", {.history = history, .overflow = Overflow::block, .block_time = 300ms}},
                                   {"push", {.history = history, .overflow = Overflow::backpressure}}});
  return options;
}

/// A client whose every frame is judged.
class Observed {
 public:
  Observed(RealtimeWorld& world, HistoryRecording& recording, std::string name, std::size_t core)
      : recording_(recording),
        name_(std::move(name)),
        socket_(std::make_unique<testing::TestSocket>(
            world.networks[core]->connect({{}, 80}), "/ws",
            fmt::format("Authorization: Bearer {}\r\n", testing::token_of_user(name_)))) {}

  void say(const std::string& json) {
    record("sent", json);
    socket_->say(json);
  }
  void take() {
    for (const auto& frame : socket_->take()) {
      record("received", frame);
      ++types_[field(frame, "type")];
      if (field(frame, "type") == "gap") ++types_["gap " + field(frame, "reason")];
      last_ = frame;
    }
    if (socket_->close_code() && !std::exchange(closed_, true)) {
      REQUIRE(recording_.line(fmt::format(R"({{"observer":"{}","closed":true}})", name_)).has_value());
    }
  }
  int count(const std::string& type) const {
    auto found = types_.find(type);
    return found == types_.end() ? 0 : found->second;
  }
  const std::string& last() const { return last_; }
  Socket& socket() { return socket_; }

 private:
  void record(std::string_view kind, const std::string& json) {
    auto line = recording_.line(fmt::format(R"({{"observer":"{}","{}":{}}})", name_, kind, json));
    REQUIRE(line.has_value());
  }

  HistoryRecording& recording_;
  std::string name_;
  Socket socket_;
  std::map<std::string, int> types_;
  std::string last_;
  bool closed_ = false;
};

/// One of each policy that a client may choose, the last by a pattern; all also where publishers feel slow readers.
std::vector<std::unique_ptr<Observed>> subscribers(RealtimeWorld& world, HistoryRecording& recording) {
  std::vector<std::unique_ptr<Observed>> clients;
  for (const auto* policy : {"drop_oldest", "drop_newest", "latest", "spill", "spill"}) {
    const auto number = clients.size();
    clients.push_back(std::make_unique<Observed>(world, recording, fmt::format("user{}", number), number % 2));
    world.world.advance(50ms);
    clients.back()->take();
    const auto* topics = number == 4 ? R"(["free.*"])" : R"(["free.a","free.b"])";
    clients.back()->say(fmt::format(R"({{"type":"subscribe","id":"s","topics":{},"overflow":"{}"}})", topics, policy));
    clients.back()->say(R"({"type":"subscribe","id":"s","topics":["wait.a","push.a"]})");
    world.world.advance(50ms);
    clients.back()->take();
  }
  return clients;
}

}  // namespace

TEST_CASE("readers of every policy that stall at random see each topic contiguous, or are told what is missing") {
  std::map<std::string, int> seen;
  explore(
      {.schedules = 60},
      [&](Seed seed) {
        base::SeededRandom random{seed.number};
        RealtimeWorld world{
            options_of_all(random.below(2) == 0 ? 12 : 256),
            seed,
            {.buffer_bytes = 1024, .faults = {.short_write_in = 5, .short_read_in = 3, .delay_max = 2ms}},
            {.timer_delay_max = 5ms, .ring_full = {3}, .job_delay_max = 20ms}};
        HistoryChecker checker;
        HistoryRecording recording{checker};
        auto clients = subscribers(world, recording);
        const std::vector<std::string> topics{"free.a", "free.b", "free.a", "free.b", "wait.a", "push.a"};
        for (int round = 0; round < 300; ++round) {
          auto& client = *clients[random.below(clients.size())];
          switch (random.below(10)) {
            case 0:
              client.socket()->stop_reading();
              break;
            case 1:
              client.socket()->read_again();
              break;
            default:
              client.say(
                  fmt::format(R"({{"type":"publish","id":"{}","topic":"{}","payload":"{}-{:0>40}"{}}})", round,
                              topics[random.below(topics.size())], seed.number, round,
                              &client != clients[4].get() && random.below(5) == 0 ? R"(,"exclude_self":true)" : ""));
          }
          world.world.run(random.below(12));
          if (random.below(4) == 0) world.world.advance(std::chrono::milliseconds{random.below(20)});
          for (auto& each : clients) each->take();
        }
        for (auto& client : clients) client->socket()->read_again();
        for (int i = 0; i < 40; ++i) {
          world.world.advance(1s);
          for (auto& client : clients) client->take();
        }
        checker.finish(true);
        for (const auto& violation : checker.violations()) {
          CAPTURE(violation.at);
          CHECK_EQ(violation.what, "");
        }
        for (auto& client : clients) {
          for (const auto* type : {"gap overflow", "gap latest", "gap expired", "error", "message"}) {
            seen[type] += client->count(type);
          }
        }
      },
      [&] {
        // It is worth something only if all of this happened.
        CHECK_GT(seen["message"], 10'000);
        for (const auto* type : {"gap overflow", "gap latest", "gap expired", "error"}) {
          CAPTURE(type);
          CHECK_GT(seen[type], 20);
        }
      });
}

TEST_CASE("a thousand stuck readers hold no more than their outboxes may, under each policy") {
  for (const std::string policy : {"drop_oldest", "drop_newest", "latest", "spill", "wait", "push"}) {
    CAPTURE(policy);
    constexpr std::size_t readers = 1000, messages_max = 16;
    auto options = options_of_all(256);
    options.connection.outbox.messages_max = messages_max;
    options.connections_by_user_max = options.connections_by_address_max = 2 * readers;
    RealtimeWorld world{options, 1, {.buffer_bytes = 1024}};
    const bool chosen = policy != "wait" && policy != "push";
    const std::string space = chosen ? "free" : policy;
    std::vector<Socket> stuck;
    for (std::size_t i = 0; i < readers; ++i) {
      world.world.advance(2ms);  // one address opens only so many a second
      stuck.push_back(world.connect("stuck", i % 2));
      REQUIRE_EQ(stuck.back()->status(), 101);
      const auto overflow = chosen ? fmt::format(R"(,"overflow":"{}")", policy) : "";
      world.exchange(stuck.back(), fmt::format(R"({{"type":"subscribe","topics":["{}.a"]{}}})", space, overflow));
      stuck.back()->stop_reading();
    }
    std::vector<Socket> publishers;
    for (std::size_t i = 0; i < 40; ++i) publishers.push_back(world.connect("publisher", i % 2));
    for (int i = 0; i < 160; ++i) {
      publishers[static_cast<std::size_t>(i) % publishers.size()]->say(fmt::format(
          R"({{"type":"publish","id":"1","topic":"{}.a","payload":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}})",
          space));
      world.world.run_until_idle();
    }
    auto doors = world.world.block_on(world.realtime->supervisor().ask(GetDoors{}));
    std::size_t waiting = 0;
    for (auto connections : doors->connections) {
      waiting += world.world.block_on(connections.ask(MeasureConnections{}))->waiting;
    }
    CHECK_GT(waiting, policy == "latest" ? readers / 2 : readers * messages_max / 4);  // they are stuck indeed
    // Under `block` as many again may wait for room.
    CHECK_LE(waiting, readers * messages_max * (policy == "wait" ? 2 : 1));
  }
}

}  // namespace troupe::realtime
