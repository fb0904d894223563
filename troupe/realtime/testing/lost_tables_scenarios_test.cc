// Tables that are lost while clients are slow, spill, vanish and come back to their sessions: whatever meets whatever,
// nothing is lost without a word, doubled or out of order, and everybody ends where all are.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "troupe/actor/sim/explore.h"
#include "troupe/realtime/protocol/history_recording.h"
#include "troupe/realtime/testing/mine.h"
#include "troupe/realtime/testing/realtime_world.h"
#include "troupe/wire/json.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::lay;
using testing::Mine;
using testing::RealtimeWorld;
using testing::router_of;
using testing::Socket;
using testing::token_of_user;
using wire::Json;

struct Seen {
  int messages = 0, gaps = 0, restarted = 0, resumed = 0, recovered = 0, spilled = 0, lost = 0;
};

std::string text_of(const Json& json, std::string_view name) {
  const auto* text = json.string_at(name);
  return text == nullptr ? std::string{} : *text;
}
std::int64_t number_of(const Json& json, std::string_view name) {
  const auto* value = json.find(name);
  return value == nullptr || value->integer() == nullptr ? 0 : *value->integer();
}
bool lies_in(std::string_view topic, std::string_view pattern) {
  const auto name = TopicName::parse(topic);
  return name && TopicPattern::parse(pattern)->matches(*name);
}

struct Place {
  std::string epoch;
  std::int64_t number = 0;
};

/// A client that keeps its places, and what is said to it and by it for the judge.
class Client {
 public:
  Client(RealtimeWorld& world, HistoryRecording& recording, std::string name, std::vector<std::string> topics,
         std::string_view overflow, Seen& seen)
      : world_(world),
        recording_(recording),
        name_(std::move(name)),
        topics_(std::move(topics)),
        overflow_(overflow),
        seen_(seen) {}

  bool is_open() const { return socket_ != nullptr; }
  Socket& socket() { return socket_; }
  const std::map<std::string, Place>& places() const { return at_; }
  const std::vector<std::string>& topics() const { return topics_; }

  /// Comes back to its session, or without it.
  void open(std::size_t core, bool to_session) {
    const auto target = to_session && !session_.empty() ? "/ws?session=" + session_ : std::string{"/ws"};
    socket_ = std::make_unique<testing::TestSocket>(world_.networks[core]->connect({{}, 80}), target,
                                                    fmt::format("Authorization: Bearer {}\r\n", token_of_user(name_)));
  }
  void take() {
    if (!socket_) return;
    for (const auto& frame : socket_->take()) {
      CAPTURE(name_);
      CAPTURE(frame);
      record(fmt::format(R"("received":{})", frame));
      follow(wire::parse_json(frame, {}).value());
    }
    if (!socket_->close_code() && !socket_->is_closed()) return;
    CHECK(socket_->close_code().value_or(0) != 1011);
    cut();
  }
  void cut() {
    record(R"("closed":true)");
    socket_.reset();
    confirmed_ = false;
    here_.clear();
    asked_ = 0;
  }
  void say(std::string_view frame) {
    ++asked_;
    record(fmt::format(R"("sent":{})", frame));
    socket_->say(frame);
  }
  /// Again, or leaves one of its topics and comes back to it.
  void change(std::size_t which, bool leaves) {
    take();
    if (!socket_ || !confirmed_ || asked_ > 0) return;
    const auto& topic = topics_[which % topics_.size()];
    if (leaves) {
      here_.erase(topic);
      say(fmt::format(R"({{"type":"unsubscribe","id":"u","topics":["{}"]}})", topic));
      subscribe({topic}, false);
    } else if (TopicPattern::parse(topic)->is_name()) {
      subscribe({topic}, true);
    }
  }

 private:
  void record(const std::string& what) {
    const auto line = recording_.line(fmt::format(R"({{"observer":"{}",{}}})", name_, what));
    REQUIRE_MESSAGE(line.has_value(), line.error());
  }

  void subscribe(std::vector<std::string> topics, bool recover) {
    wanted_ = std::move(topics);
    std::string names;
    for (const auto& topic : wanted_) names += fmt::format(R"({}"{}")", names.empty() ? "" : ",", topic);
    say(fmt::format(R"({{"type":"subscribe","id":"s","topics":[{}],"overflow":"{}"{}}})", names, overflow_,
                    recover ? fmt::format(R"(,"recover":{})", positions(wanted_)) : ""));
  }

  void follow(const Json& frame) {
    const auto type = text_of(frame, "type");
    asked_ -= text_of(frame, "id").empty() ? 0 : 1;
    if (type == "welcome") return welcomed(frame);
    if (type == "message" || type == "gap") return advance(frame, type == "gap");
    if (type == "subscription_confirmed" || type == "resumed") {
      confirmed_ = true;
      seen_.resumed += type == "resumed" ? 1 : 0;
    } else if (type == "restarted") {
      ++seen_.restarted;
    } else if (type == "error" && text_of(frame, "id") == "s") {
      return subscribe(wanted_, true);  // the tables were lost meanwhile
    } else if (type == "error" && text_of(frame, "id") == "r") {
      return subscribe(topics_, true);
    } else {
      return;
    }
    auto missing = topics_;
    for (const auto& entry : *frame.find("topics")->array()) {
      std::erase(missing, text_of(entry, "topic"));
      begin(entry);
    }
    if (type == "resumed" && !missing.empty()) subscribe(missing, true);
  }

  void welcomed(const Json& frame) {
    session_ = text_of(frame, "session");
    if (*frame.find("resumed")->boolean()) {
      say(fmt::format(R"({{"type":"resume","id":"r","positions":{}}})", positions(topics_)));
    } else {
      subscribe(topics_, true);
    }
  }

  void begin(const Json& entry) {
    const auto topic = text_of(entry, "topic");
    if (topic.starts_with('$')) return;
    here_.insert(topic);
    if (*entry.find("recovered")->boolean()) {
      ++seen_.recovered;
      return;
    }
    if (const auto* shards = entry.find("shards")) {
      auto& mine = shards_[topic];
      mine.clear();
      for (const auto& [shard, at] : *shards->object()) mine[shard] = {text_of(at, "epoch"), number_of(at, "seq")};
      std::erase_if(at_,
                    [&](const auto& known) { return lies_in(known.first, topic) && !names_.contains(known.first); });
    } else {
      names_[topic] = at_[topic] = {text_of(entry, "epoch"), number_of(entry, "offset")};
    }
  }

  void advance(const Json& frame, bool is_gap) {
    ++(is_gap ? seen_.gaps : seen_.messages);
    const auto topic = text_of(frame, "topic");
    if (topic.starts_with('$')) return;
    const Place place{text_of(frame, "epoch"), number_of(frame, is_gap ? "to" : "offset")};
    auto& known = at_[topic];
    if (known.epoch != place.epoch || known.number < place.number) known = place;
    if (std::ranges::find(topics_, topic) != topics_.end()) names_[topic] = known;
    const auto shard = text_of(frame, "shard");
    if (shard.empty()) {
      seen_.spilled += is_gap ? 0 : 1;
      return;
    }
    for (auto& [pattern, shards] : shards_) {
      if (!here_.contains(pattern) || !lies_in(topic, pattern)) continue;
      auto& seq = shards.at(shard).number;
      seq = std::max(seq, number_of(frame, "seq"));
    }
  }

  std::string positions(const std::vector<std::string>& topics) const {
    std::string text;
    const auto add = [&](const std::string& topic, const std::string& place) {
      text += fmt::format(R"({}"{}":{})", text.empty() ? "" : ",", topic, place);
    };
    const auto written = [](const Place& place, std::string_view number) {
      return fmt::format(R"({{"epoch":"{}","{}":{}}})", place.epoch, number, place.number);
    };
    for (const auto& topic : topics) {
      if (const auto name = names_.find(topic); name != names_.end()) add(topic, written(name->second, "offset"));
      const auto pattern = shards_.find(topic);
      if (pattern == shards_.end()) continue;
      std::string shards;
      for (const auto& [shard, place] : pattern->second)
        shards += fmt::format(R"({}"{}":{})", shards.empty() ? "" : ",", shard, written(place, "seq"));
      add(topic, fmt::format(R"({{"shards":{{{}}}}})", shards));
    }
    return fmt::format("{{{}}}", text);
  }

  RealtimeWorld& world_;
  HistoryRecording& recording_;
  std::string name_;
  std::vector<std::string> topics_;
  std::string_view overflow_;
  Seen& seen_;
  Socket socket_;
  std::string session_;
  std::vector<std::string> wanted_;  // by the last `subscribe`
  bool confirmed_ = false;
  int asked_ = 0;                       // and not answered yet
  std::set<std::string> here_;          // confirmed on this socket: before that a pattern is where it was
  std::map<std::string, Place> names_;  // where it is, as it says to the server
  std::map<std::string, std::map<std::string, Place>> shards_;  // by pattern
  std::map<std::string, Place> at_;                             // of every topic, the last that it was told
};

RealtimeOptions small_options() {
  RealtimeOptions options;
  options.connection.outbox.messages_max = 8;
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{.history = {.count_max = 40}});
  return options;
}

const std::vector<std::string> topics{"t.a", "t.b", "t.c", "u.a", "u.b"};

/// Clients of names, of patterns, and of names that lie in a pattern or do not, while others publish and mines lie
/// about.
class Scenario {
 public:
  Scenario(actor::test::Seed seed, Seen& seen)
      : world_(small_options(), seed, {.buffer_bytes = 2048, .faults = {.short_write_in = 4, .delay_max = 2ms}},
               {.timer_delay_max = 5ms, .ring_full = {3}}),
        random_(seed.number),
        seen_(seen) {
    const std::string_view overflow = seed.number % 2 == 0 ? "spill" : "drop_oldest";
    const auto add = [&](std::string_view name, std::vector<std::string> wanted) {
      clients_.emplace_back(world_, recording_, std::string{name}, std::move(wanted), overflow, seen);
    };
    clients_.reserve(4);
    add("names", {"t.a", "t.b"});
    add("patterns", {"t.*", "u.*"});
    add("apart", {"t.a", "u.*"});
    add("inside", {"t.a", "t.*"});
    for (const std::size_t core : {0UL, 1UL}) writers_.push_back(world_.connect("writer", core));
  }

  void run() {
    for (int round = 0; round < 250; ++round) {
      change(clients_[random_.below(clients_.size())]);
      publish(random_.below(2), topics[random_.below(topics.size())], fmt::format("{:0>60}", round));
      if (random_.below(3) == 0) world_.world.run(random_.below(25));
      if (random_.below(3) == 0) world_.world.advance(std::chrono::milliseconds{random_.below(8)});
      for (auto& each : clients_) each.take();
    }
    settle();
    for (const auto& topic : topics) publish(0, topic, "last");
    settle();
    for (const auto& mine : laid_) seen_.lost += mine->lost ? 1 : 0;
    judge();
  }

 private:
  void change(Client& client) {
    const auto dice = random_.below(24);
    if (!client.is_open()) {
      if (dice < 12) client.open(random_.below(2), dice < 8);
    } else if (dice == 0) {
      client.take();
      if (client.is_open()) client.cut();
    } else if (dice < 3) {
      client.socket()->stop_reading();
    } else if (dice < 6) {
      client.socket()->read_again();
    } else if (dice == 6) {
      client.change(random_.below(2), random_.below(2) == 0);
    } else if (dice == 7 && laid_.size() < 3) {  // more at once, and the supervisor gives up
      laid_.push_back(lay(router_of(world_, random_.below(2)), topics[random_.below(topics.size())], world_));
    }
  }

  void publish(std::size_t writer, std::string_view topic, std::string_view payload) {
    writers_[writer]->say(fmt::format(R"({{"type":"publish","topic":"{}","payload":"{}"}})", topic, payload));
  }

  /// All read, and who has been closed comes back.
  void settle() {
    for (int again = 0; again < 6; ++again) {
      for (auto& each : clients_) {
        if (!each.is_open()) each.open(0, true);
        each.socket()->read_again();
      }
      world_.world.advance(3s);
      for (auto& each : clients_) each.take();
    }
    CHECK(std::ranges::all_of(clients_, [](const auto& each) { return each.is_open(); }));
  }

  void judge() {
    checker_.finish(false);  // of several new epochs it does not know which is the newest
    for (const auto& violation : checker_.violations()) FAIL_CHECK(violation.what);
    for (const auto& topic : topics) {
      std::optional<Place> all;
      for (const auto& each : clients_) {
        CAPTURE(topic);
        const bool wants = std::ranges::any_of(each.topics(), [&](const auto& one) { return lies_in(topic, one); });
        if (!wants) continue;
        REQUIRE(each.places().contains(topic));
        if (!all) all = each.places().at(topic);
        CHECK_EQ(each.places().at(topic).epoch, all->epoch);
        CHECK_EQ(each.places().at(topic).number, all->number);
      }
    }
  }

  RealtimeWorld world_;
  base::SeededRandom random_;
  Seen& seen_;
  HistoryChecker checker_;
  HistoryRecording recording_{checker_};
  std::vector<Client> clients_;
  std::vector<Socket> writers_;
  std::vector<base::LocalRef<Mine>> laid_;
};

TEST_CASE("whatever meets the loss of tables, each client goes on where it was, or is told what is missing") {
  Seen seen;
  actor::test::explore(
      {.schedules = 60, .first_seed = 780}, [&](actor::test::Seed seed) { Scenario{seed, seen}.run(); },
      [&] {  // it is worth something only if all of this happened
        CHECK_GT(seen.messages, 20'000);
        CHECK_GT(seen.gaps, 1'000);
        CHECK_GT(seen.spilled, 5'000);
        CHECK_GT(seen.lost, 200);
        CHECK_GT(seen.restarted, 300);
        CHECK_GT(seen.resumed, 200);
        CHECK_GT(seen.recovered, 500);
      });
}

}  // namespace
}  // namespace troupe::realtime
