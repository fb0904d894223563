// Streams of events under many schedules, on a network that breaks: whoever comes back with the last id gets each topic
// contiguous, or is told what is missing.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "troupe/actor/sim/explore.h"
#include "troupe/realtime/protocol/history_recording.h"
#include "troupe/realtime/testing/test_events.h"
#include "troupe/wire/json.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::RealtimeWorld;
using testing::TestEvents;
using testing::token_of_user;
using wire::Json;

struct Seen {
  int messages = 0, gaps = 0, cuts = 0, recovered = 0, refused = 0;
};

std::string text_of(const Json& json, std::string_view name) {
  const auto* text = json.string_at(name);
  return text == nullptr ? std::string{} : *text;
}
std::int64_t number_of(const Json& json, std::string_view name) {
  const auto* value = json.find(name);
  return value == nullptr || value->integer() == nullptr ? 0 : *value->integer();
}

/// A browser that is cut off now and then, and comes back with the id that it has seen last. What that id stands for is
/// recorded as if a client of a WebSocket had said it.
class Reader {
 public:
  Reader(RealtimeWorld& world, HistoryRecording& recording, std::string name, std::vector<std::string> topics,
         Seen& seen)
      : world_(world), recording_(recording), name_(std::move(name)), topics_(std::move(topics)), seen_(seen) {}

  bool is_open() const { return stream_ != nullptr; }
  TestEvents& stream() { return *stream_; }

  void open(std::size_t core) {
    std::string query;
    for (const auto& topic : topics_) query += (query.empty() ? "topic=" : "&topic=") + topic;
    auto headers = fmt::format("Authorization: Bearer {}\r\n", token_of_user(name_));
    if (!id_.empty()) {
      headers += fmt::format("Last-Event-ID: {}\r\n", id_);
      record(fmt::format(R"("sent":{{"type":"subscribe","recover":{}}})", positions()));
    }
    stream_ = std::make_unique<TestEvents>(world_.networks[core]->connect({{}, 80}), "/events?" + query, headers);
  }

  void take() {
    if (!stream_) return;
    for (const auto& event : stream_->take()) {
      if (event.type == "closed" || event.type == "welcome") continue;
      record(fmt::format(R"("received":{})", event.data));
      follow(wire::parse_json(event.data, {}).value());
    }
    if (!stream_->last_id().empty()) id_ = stream_->last_id();
    if (stream_->is_closed()) cut();
  }

  void cut() {
    ++seen_.cuts;
    record(R"("closed":true)");
    stream_.reset();
  }

 private:
  void record(const std::string& what) {
    const auto line = recording_.line(fmt::format(R"({{"observer":"{}",{}}})", name_, what));
    REQUIRE_MESSAGE(line.has_value(), line.error());
  }

  void follow(const Json& frame) {
    const auto type = text_of(frame, "type");
    if (type == "message" || type == "gap") {
      ++(type == "gap" ? seen_.gaps : seen_.messages);
      const auto topic = text_of(frame, "topic");
      const auto offset = number_of(frame, type == "gap" ? "to" : "offset");
      if (std::ranges::find(topics_, topic) != topics_.end())
        places_[topic] = place("offset", text_of(frame, "epoch"), offset);
      if (auto shard = text_of(frame, "shard"); !shard.empty()) shards_[shard].second = number_of(frame, "seq");
    }
    if (type != "subscription_confirmed") return;
    for (const auto& entry : *frame.find("topics")->array()) {
      const bool recovered = *entry.find("recovered")->boolean();
      if (!id_.empty()) ++(recovered ? seen_.recovered : seen_.refused);
      if (recovered) continue;
      if (const auto* shards = entry.find("shards")) {
        for (const auto& [shard, at] : *shards->object()) shards_[shard] = {text_of(at, "epoch"), number_of(at, "seq")};
      } else {
        places_[text_of(entry, "topic")] = place("offset", text_of(entry, "epoch"), number_of(entry, "offset"));
      }
    }
  }

  static std::string place(std::string_view number, std::string_view epoch, std::int64_t value) {
    return fmt::format(R"({{"epoch":"{}","{}":{}}})", epoch, number, value);
  }

  std::string positions() const {
    std::string text;
    for (const auto& topic : topics_) {
      text += fmt::format(R"({}"{}":)", text.empty() ? "{" : ",", topic);
      if (const auto found = places_.find(topic); found != places_.end()) {
        text += found->second;
        continue;
      }
      std::string shards;
      for (const auto& [shard, at] : shards_) {
        shards += fmt::format(R"({}"{}":{})", shards.empty() ? "" : ",", shard, place("seq", at.first, at.second));
      }
      text += fmt::format(R"({{"shards":{{{}}}}})", shards);
    }
    return text + "}";
  }

  RealtimeWorld& world_;
  HistoryRecording& recording_;
  std::string name_;
  std::vector<std::string> topics_;
  Seen& seen_;
  std::unique_ptr<TestEvents> stream_;
  std::string id_;
  std::map<std::string, std::string> places_;  // of names, as `recover` takes them
  std::map<std::string, std::pair<std::string, std::int64_t>> shards_;
};

RealtimeOptions small_options() {
  RealtimeOptions options;
  options.connection.outbox.messages_max = 8;  // so that a slow reader soon misses something
  // So that a recovery sometimes comes too late.
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{.history = {.count_max = 24}});
  return options;
}

void run(actor::test::Seed seed, Seen& seen) {
  RealtimeWorld world{small_options(),
                      seed,
                      {.buffer_bytes = 4096, .faults = {.short_read_in = 3, .break_in = 400, .delay_max = 3ms}},
                      {.timer_delay_max = 5ms, .ring_full = {3}}};
  base::SeededRandom random{seed.number};
  HistoryChecker checker;
  HistoryRecording recording{checker};
  std::vector<Reader> readers;
  readers.reserve(3);
  readers.emplace_back(world, recording, "names", std::vector<std::string>{"t.a", "t.b"}, seen);
  readers.emplace_back(world, recording, "pattern", std::vector<std::string>{"t.*"}, seen);
  readers.emplace_back(world, recording, "both", std::vector<std::string>{"t.a", "t.*"}, seen);
  std::vector<testing::Socket> writers;
  auto publish = [&](int number) {
    auto& writer = writers[random.below(2)];
    if (writer->is_closed()) return;
    writer->say(fmt::format(R"({{"type":"publish","topic":"t.{}","payload":"{:0>60}"}})",
                            random.below(2) == 0 ? "a" : "b", number));
  };
  for (std::size_t i = 0; i < 8 && writers.size() < 2; ++i) {
    auto writer = world.connect("writer", i % 2);
    world.world.advance(50ms);
    if (writer->status() == 101) writers.push_back(std::move(writer));
  }
  REQUIRE_EQ(writers.size(), 2);
  for (int round = 0; round < 200; ++round) {
    auto& reader = readers[random.below(readers.size())];
    const auto dice = random.below(12);
    if (!reader.is_open()) {
      if (dice < 5) reader.open(random.below(2));
    } else if (dice == 0) {
      reader.cut();
    } else if (dice == 1) {
      reader.stream().stop_reading();
    } else if (dice == 2) {
      reader.stream().read_again();
    }
    publish(round);
    if (random.below(3) == 0) world.world.run(random.below(20));
    if (random.below(3) == 0) world.world.advance(std::chrono::milliseconds{random.below(8)});
    for (auto& each : readers) each.take();
  }
  bool all_open = false;
  for (int again = 0; again < 20 && !all_open; ++again) {  // the network may break what has just come back
    for (auto& each : readers) {
      if (!each.is_open()) each.open(0);
      each.stream().read_again();
    }
    world.world.advance(1s);
    for (auto& each : readers) each.take();
    all_open = std::ranges::all_of(readers, [](const auto& each) { return each.is_open(); });
  }
  checker.finish(all_open);
  for (const auto& violation : checker.violations()) FAIL_CHECK(violation.what);
}

TEST_CASE("however streams of events are cut, each topic goes on where it was, or what is missing is told") {
  Seen seen;
  actor::test::explore(
      {.schedules = 40}, [&](actor::test::Seed seed) { run(seed, seen); },
      [&] {  // it is worth something only if all of this happened
        CHECK_GT(seen.messages, 3'000);
        CHECK_GT(seen.gaps, 20);
        CHECK_GT(seen.cuts, 300);
        CHECK_GT(seen.recovered, 200);
        CHECK_GT(seen.refused, 20);
      });
}

}  // namespace
}  // namespace troupe::realtime
