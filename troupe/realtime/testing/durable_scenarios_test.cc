// Durable topics under many schedules, with power cuts, disks that fail and journals that do not say what they did: the
// history checker finds no fault, and what was acknowledged is there once.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "troupe/actor/sim/explore.h"
#include "troupe/realtime/client/history_witness.h"
#include "troupe/realtime/client/server_frame.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using actor::test::explore;
using actor::test::Seed;
using testing::field;
using testing::RealtimeWorld;
using testing::Socket;
using testing::token_of_user;

/// A client that comes back where it was, and publishes under a key until it is answered.
class Persistent {
 public:
  Persistent(RealtimeWorld& world, HistoryChecker& checker, std::string user, std::size_t core,
             std::vector<std::string> topics)
      : world_(world), witness_(checker, user), user_(std::move(user)), core_(core), topics_(std::move(topics)) {}

  bool is_connected() const { return socket_ != nullptr && !socket_->is_closed() && !socket_->close_code(); }

  void vanish() {
    take();
    if (socket_ == nullptr) return;
    socket_.reset();
    witness_.closed();
  }

  void connect() {
    vanish();
    socket_ = std::make_unique<testing::TestSocket>(world_.networks[core_]->connect({{}, 80}), "/ws",
                                                    fmt::format("Authorization: Bearer {}\r\n", token_of_user(user_)));
    world_.world.run_until([&] { return socket_->status() == 101 || socket_->is_closed(); }, 10s);
    if (!is_connected()) return;
    for (const auto& topic : topics_) subscribe(topic);
    for (const auto& [n, topic] : open_) say_publish(topic, n);
  }

  void publish(const std::string& topic, int n) {
    open_.emplace(n, topic);
    if (is_connected()) say_publish(topic, n);
  }

  /// Looks at what has come.
  void take() {
    if (socket_ == nullptr) return;
    for (const auto& frame : socket_->take()) {
      const auto read = reader_.read(wire::Opcode::text, frame);
      REQUIRE(read.has_value());
      witness_.received(wire::Opcode::text, frame, *read);
      const auto type = field(frame, "type");
      if (type == "message" || type == "ack") {
        if (type == "ack") acknowledge(frame);
        if (type == "message") position_of_[field(frame, "topic")] = position_in(frame);
      } else if (type == "gap") {
        auto& position = position_of_[field(frame, "topic")];
        position = fmt::format(R"({{"epoch":"{}","offset":{}}})", field(frame, "epoch"), field(frame, "to"));
      } else if (type == "error") {
        asked_.erase(field(frame, "id"));
      } else if (type == "subscription_confirmed") {
        subscribed_.insert(field(frame, "id"));
        epochs_.insert(field(frame, "epoch"));
        if (field(frame, "recovered") == "true") {
          ++recoveries_;
        } else {
          position_of_[field(frame, "topic")] = position_in(frame);
        }
      }
    }
  }

  /// Asks again for what was refused.
  void ask_again() {
    if (!is_connected()) return connect();
    for (const auto& topic : topics_) {
      if (!asked_.contains(topic)) subscribe(topic);
    }
    for (const auto& [n, topic] : open_) say_publish(topic, n);
  }

  bool is_done() const { return is_connected() && open_.empty() && subscribed_.size() == topics_.size(); }
  const std::map<int, std::string>& acknowledged() const { return acknowledged_; }
  const std::set<std::string>& epochs() const { return epochs_; }
  int recoveries() const { return recoveries_; }
  Socket& socket() { return socket_; }

 private:
  static std::string position_in(const std::string& frame) {
    return fmt::format(R"({{"epoch":"{}","offset":{}}})", field(frame, "epoch"), field(frame, "offset"));
  }
  void say(const std::string& frame) {
    witness_.sent(wire::Opcode::text, frame);
    socket_->say(frame);
  }
  void subscribe(const std::string& topic) {
    subscribed_.erase(topic);
    asked_.insert(topic);
    const auto position = position_of_.find(topic);
    const auto recover = position == position_of_.end()
                             ? std::string{}
                             : fmt::format(R"(,"recover":{{"{}":{}}})", topic, position->second);
    say(fmt::format(R"({{"type":"subscribe","id":"{0}","topics":["{0}"]{1}}})", topic, recover));
  }
  void say_publish(const std::string& topic, int n) {
    say(fmt::format(R"({{"type":"publish","id":"{0}","topic":"{1}","payload":{0},"idempotency_key":"{0}"}})", n,
                    topic));
  }
  void acknowledge(const std::string& frame) {
    const auto n = std::stoi(field(frame, "id"));
    const auto found = open_.find(n);
    if (found == open_.end()) return;  // it was asked twice
    acknowledged_.emplace(n, found->second);
    open_.erase(found);
  }

  RealtimeWorld& world_;
  HistoryWitness witness_;
  std::string user_;
  std::size_t core_;
  std::vector<std::string> topics_;
  ServerFrameReader reader_;
  Socket socket_;
  std::map<std::string, std::string> position_of_;
  std::set<std::string> asked_;  // and not refused
  std::set<std::string> subscribed_;
  std::set<std::string> epochs_;
  std::map<int, std::string> open_;
  std::map<int, std::string> acknowledged_;
  int recoveries_ = 0;
};

RealtimeOptions on_disk() {
  RealtimeOptions options;
  options.connection.authenticate_within = 5s;
  options.settings = std::make_shared<const RealtimeSettings>(
      NamespaceOptions{.history = {.count_max = 1000}, .durability = Durability::disk});
  return options;
}

/// All payloads that are kept of a topic, oldest first.
std::vector<int> kept(RealtimeWorld& world, Socket& socket, const std::string& topic) {
  socket->take();
  socket->say(fmt::format(R"({{"type":"history","id":"h","topic":"{}","limit":1000}})", topic));
  world.world.advance(2s);
  std::vector<int> payloads;
  for (const auto& frame : socket->take()) {
    if (field(frame, "type") == "history_item") payloads.push_back(std::stoi(field(frame, "payload")));
  }
  return payloads;
}

using Clients = std::vector<std::unique_ptr<Persistent>>;

void power_cut(RealtimeWorld& world, Clients& clients) {
  for (auto& each : clients) each->vanish();
  world.world.faults().disk = {};
  world.world.faults().journal = {};
  world.crash();
}

/// A step of the torment; gives whether the power failed.
bool one_step(RealtimeWorld& world, base::Random& random, Clients& clients, const std::string& topic, int round) {
  auto& client = *clients[random.below(clients.size())];
  auto& faults = world.world.faults();
  switch (random.below(20)) {
    case 0:
      power_cut(world, clients);
      return true;
    case 1:
      client.vanish();
      return false;
    case 2:
    case 3:
      client.ask_again();
      return false;
    case 4:
      faults.journal = {.fails_before = {4}, .fails_after = {4}, .delay_max = 20ms * random.below(5)};
      return false;
    case 5:
      faults.disk = {.write_fails = {5}, .sync_fails = {5}};
      return false;
    case 6:
      faults.disk = {};
      faults.journal = {};
      return false;
    default:
      client.publish(topic, round);
      return false;
  }
}

/// Everything is well from now on, and everybody asks until all is answered.
void come_to_rest(RealtimeWorld& world, Clients& clients) {
  world.world.faults().disk = {};
  world.world.faults().journal = {};
  auto all_done = [&] { return std::ranges::all_of(clients, [](const auto& each) { return each->is_done(); }); };
  for (int again = 0; again < 20 && !all_done(); ++again) {
    for (auto& client : clients) client->ask_again();
    world.world.advance(3s);
    for (auto& client : clients) client->take();
  }
  CHECK(all_done());
}

/// Each topic has what was acknowledged, once, and nothing else: all that was published was answered in the end.
void expect_acknowledged(RealtimeWorld& world, Clients& clients, const std::vector<std::string>& topics) {
  std::map<std::string, std::multiset<int>> wanted;
  for (auto& client : clients) {
    for (const auto& [n, topic] : client->acknowledged()) wanted[topic].insert(n);
  }
  for (const auto& topic : topics) {
    const auto payloads = kept(world, clients[0]->socket(), topic);
    CHECK(std::multiset<int>(payloads.begin(), payloads.end()) == wanted[topic]);
  }
}

}  // namespace

TEST_CASE("over power cuts and disks that fail, what was acknowledged is kept once, and nobody misses or doubles") {
  std::size_t acknowledged = 0;
  int recoveries = 0, crashes = 0;
  explore(
      {.schedules = 30, .schedules_proof = 200},
      [&](Seed seed) {
        base::SeededRandom random{seed.number};
        RealtimeWorld world{
            on_disk(), seed, {.faults = {.delay_max = 3ms}}, {.timer_delay_max = 5ms, .ring_full = {3}}};
        HistoryChecker checker;
        const std::vector<std::string> topics{"t.a", "t.b", "t.c"};
        Clients clients;
        for (std::size_t i = 0; i < 3; ++i) {
          clients.push_back(std::make_unique<Persistent>(world, checker, "user" + std::to_string(i), i % 2, topics));
          clients.back()->connect();
        }
        for (int round = 1; round <= 80; ++round) {
          crashes += one_step(world, random, clients, topics[random.below(3)], round) ? 1 : 0;
          world.world.run(random.below(40));
          if (random.below(4) == 0) world.world.advance(std::chrono::milliseconds{random.below(200)});
          for (auto& each : clients) each->take();
        }
        come_to_rest(world, clients);
        expect_acknowledged(world, clients, topics);
        std::set<std::string> epochs;
        for (auto& client : clients) {
          acknowledged += client->acknowledged().size();
          recoveries += client->recoveries();
          epochs.insert(client->epochs().begin(), client->epochs().end());
        }
        CHECK_EQ(epochs.size(), 1);  // for ever
        checker.finish(true);
        for (const auto& violation : checker.violations()) FAIL_CHECK(violation.what);
      },
      [&] {
        CHECK_GT(acknowledged, 1000);
        CHECK_GT(recoveries, 100);
        CHECK_GT(crashes, 50);
      });
}

}  // namespace troupe::realtime
