// Scenarios of the real-time service under many schedules: what is promised about order, loss, recovery and drains
// holds whatever runs first, arrives late, comes short or breaks.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "troupe/actor/sim/explore.h"
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

/// Where in a topic a message stands.
struct Place {
  std::string topic;
  std::string epoch;
  std::int64_t offset = 0;
  friend auto operator<=>(const Place&, const Place&) = default;
};

std::int64_t number(std::string_view frame, std::string_view name) { return std::stoll(field(frame, name)); }

/// What everybody must agree on.
struct Truth {
  std::map<Place, std::string> payloads;
  std::map<std::pair<std::string, std::string>, std::int64_t> heads;  // by topic and epoch

  void agree(const Place& place, const std::string& payload) {
    const auto [found, added] = payloads.try_emplace(place, payload);
    CHECK_EQ(found->second, payload);
    reaches(place);
  }
  /// The topic is known to have come so far, also where nobody was shown the message: its publisher vanished before the
  /// acknowledgement, and all others were told of a gap or came back too late.
  void reaches(const Place& place) {
    auto& head = heads[{place.topic, place.epoch}];
    head = std::max(head, place.offset);
  }
};

/// A client that keeps its position in each topic and comes back where it was.
class Follower {
 public:
  Follower(RealtimeWorld& world, Truth& truth, std::string user, std::size_t core, std::vector<std::string> topics)
      : world_(world), truth_(truth), user_(std::move(user)), core_(core), topics_(std::move(topics)) {}

  /// Connects and subscribes again from where it was, as often as the network makes it necessary.
  void connect() {
    do {
      socket_ =
          std::make_unique<testing::TestSocket>(world_.networks[core_]->connect({{}, 80}), "/ws",
                                                fmt::format("Authorization: Bearer {}\r\n", token_of_user(user_)));
      world_.world.run_until([&] { return socket_->status() == 101 || socket_->is_closed(); }, 10s);
    } while (socket_->status() != 101);
    reads_ = true;
    for (const auto& topic : topics_) {
      const auto position = positions_.find(topic);
      std::string recover;
      if (position != positions_.end() && !position->second.epoch.empty()) {
        recover = fmt::format(R"(,"recover":{{"{}":{{"epoch":"{}","offset":{}}}}})", topic, position->second.epoch,
                              position->second.offset);
      }
      socket_->say(fmt::format(R"({{"type":"subscribe","topics":["{}"]{}}})", topic, recover));
    }
  }

  bool is_connected() const { return socket_ != nullptr && !socket_->is_closed() && !socket_->close_code(); }

  void publish(const std::string& topic, int n) {
    if (!is_connected()) return;
    socket_->say(fmt::format(R"({{"type":"publish","id":"{}:{}","topic":"{}","payload":"{}-{:0>60}"}})", topic, n,
                             topic, user_, n));
    payload_of_[fmt::format("{}:{}", topic, n)] = fmt::format("{}-{:0>60}", user_, n);
  }

  void pause() {
    if (!is_connected() || !std::exchange(reads_, false)) return;
    socket_->stop_reading();
  }
  void go_on() {
    if (socket_ != nullptr && !std::exchange(reads_, true)) socket_->read_again();
  }
  void vanish() {
    take();
    socket_.reset();
  }

  /// Holds every frame that has come against what is promised.
  void take() {
    if (socket_ == nullptr) return;
    for (const auto& frame : socket_->take()) {
      CAPTURE(user_);
      CAPTURE(frame);
      const auto type = field(frame, "type");
      if (type == "message") {
        advance(frame, number(frame, "offset"), number(frame, "offset"));
        truth_.agree({field(frame, "topic"), field(frame, "epoch"), number(frame, "offset")}, field(frame, "payload"));
        ++messages_;
      } else if (type == "gap") {
        CHECK_GT(number(frame, "from"), positions_[field(frame, "topic")].complete_until);
        advance(frame, number(frame, "from"), number(frame, "to"));
        ++gaps_;
      } else if (type == "subscription_confirmed") {
        begin(frame);
      } else if (type == "ack") {
        acknowledge(frame);
      } else if (type == "draining") {
        told_to_go_ = true;
      } else {
        CHECK_EQ(type, "welcome");
      }
    }
  }

  /// Whether it has been told everything about every topic.
  void expect_complete() {
    for (const auto& topic : topics_) {
      CAPTURE(user_);
      CAPTURE(topic);
      const Position& position = positions_[topic];
      CHECK_EQ(position.offset, truth_.heads[{topic, position.epoch}]);
    }
  }

  /// Asks for what is kept of a topic: it must be the newest messages, without a hole, as everybody saw them.
  void expect_history(const std::string& topic) {
    socket_->say(fmt::format(R"({{"type":"history","id":"h","topic":"{}","limit":1000}})", topic));
    world_.world.advance(1s);
    std::int64_t last = 0;
    for (const auto& frame : socket_->take()) {
      if (field(frame, "type") != "history_item") continue;
      const auto offset = number(frame, "offset");
      if (last != 0) CHECK_EQ(offset, last + 1);
      last = offset;
      truth_.agree({topic, positions_[topic].epoch, offset}, field(frame, "payload"));
    }
    CHECK_EQ(last, truth_.heads[{topic, positions_[topic].epoch}]);
  }

  Socket& socket() { return socket_; }
  bool was_told_to_go() const { return told_to_go_; }
  int messages() const { return messages_; }
  int gaps() const { return gaps_; }
  int recoveries() const { return recoveries_; }
  int refusals() const { return refusals_; }
  int acks() const { return acks_; }

 private:
  struct Position {
    std::string epoch;
    std::int64_t offset = 0;
    std::int64_t complete_until = 0;  // a recovery that was granted has no gap up to here
  };

  void advance(const std::string& frame, std::int64_t from, std::int64_t to) {
    Position& position = positions_[field(frame, "topic")];
    CHECK_EQ(field(frame, "epoch"), position.epoch);
    CHECK_EQ(from, position.offset + 1);
    CHECK_GE(to, from);
    position.offset = to;
    truth_.reaches({field(frame, "topic"), position.epoch, to});
  }
  void begin(const std::string& frame) {
    Position& position = positions_[field(frame, "topic")];
    const bool knew = !position.epoch.empty();
    if (field(frame, "recovered") == "true") {
      ++recoveries_;
      CHECK_EQ(position.epoch, field(frame, "epoch"));
      CHECK_GE(number(frame, "offset"), position.offset);
      position.complete_until = number(frame, "offset");
      return;
    }
    if (knew) ++refusals_;
    position = {field(frame, "epoch"), number(frame, "offset"), 0};
    truth_.reaches({field(frame, "topic"), position.epoch, position.offset});
  }
  void acknowledge(const std::string& frame) {
    ++acks_;
    const auto id = field(frame, "id");
    const auto topic = id.substr(0, id.find(':'));
    truth_.agree({topic, field(frame, "epoch"), number(frame, "offset")}, payload_of_[id]);
    const auto found = positions_.find(topic);
    if (found == positions_.end() || found->second.epoch != field(frame, "epoch")) return;
    CHECK_GE(found->second.offset, number(frame, "offset"));  // its own copy comes before its ack
  }

  RealtimeWorld& world_;
  Truth& truth_;
  std::string user_;
  std::size_t core_;
  std::vector<std::string> topics_;
  Socket socket_;
  bool reads_ = true;
  bool told_to_go_ = false;
  std::map<std::string, Position> positions_;
  std::map<std::string, std::string> payload_of_;  // by the id of its publish
  int messages_ = 0;
  int gaps_ = 0;
  int recoveries_ = 0;
  int refusals_ = 0;
  int acks_ = 0;
};

RealtimeOptions small_options() {
  RealtimeOptions options;
  options.connection.outbox.messages_max = 8;  // so that a slow reader soon misses something
  // So that a recovery sometimes comes too late.
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{.history = {.count_max = 24}});
  return options;
}

net::MemoryNetworkOptions rough_network() {
  return {.buffer_bytes = 2048, .faults = {.short_write_in = 5, .short_read_in = 3, .break_in = 150, .delay_max = 3ms}};
}

}  // namespace

TEST_CASE("each subscriber sees consecutive offsets or a gap that names what is missing, and recovers what is kept") {
  int messages = 0, gaps = 0, recoveries = 0, refusals = 0;
  explore(
      {.schedules = 60},
      [&](Seed seed) {
        RealtimeWorld world{
            small_options(), seed, rough_network(), {.timer_delay_max = 5ms, .ring_full = {3}, .job_delay_max = 20ms}};
        base::SeededRandom random{seed.number};
        Truth truth;
        const std::vector<std::string> topics{"t.a", "t.b"};
        std::vector<std::unique_ptr<Follower>> clients;
        for (std::size_t i = 0; i < 4; ++i) {
          clients.push_back(std::make_unique<Follower>(world, truth, "user" + std::to_string(i), i % 2, topics));
          clients.back()->connect();
        }
        for (int round = 0; round < 120; ++round) {
          Follower& client = *clients[random.below(clients.size())];
          switch (random.below(12)) {
            case 0:
              client.vanish();
              break;
            case 1:
            case 2:
              if (!client.is_connected()) client.connect();
              break;
            case 3:
              client.pause();
              break;
            case 4:
              client.go_on();
              break;
            default:
              client.publish(topics[random.below(2)], round);
          }
          world.world.run(random.below(12));
          if (random.below(4) == 0) world.world.advance(std::chrono::milliseconds{random.below(4)});
          for (auto& each : clients) each->take();
        }
        for (auto& client : clients) client->go_on();
        world.world.advance(2s);
        for (int again = 0; again < 20; ++again) {  // the network may break what has just come back
          for (auto& client : clients) {
            client->take();
            if (!client->is_connected()) client->connect();
          }
          world.world.advance(200ms);
          for (auto& client : clients) client->take();
          if (std::ranges::all_of(clients, [](const auto& c) { return c->is_connected(); })) break;
        }
        for (auto& client : clients) {
          client->expect_complete();
          messages += client->messages();
          gaps += client->gaps();
          recoveries += client->recoveries();
          refusals += client->refusals();
        }
      },
      [&] {
        // The scenario is worth something only if all of this happened.
        CHECK_GT(messages, 1000);
        CHECK_GT(gaps, 10);
        CHECK_GT(recoveries, 20);
        CHECK_GT(refusals, 5);
      });
}

TEST_CASE("history has the newest messages, as everybody saw them, whoever asks") {
  explore({.schedules = 40}, [&](Seed seed) {
    RealtimeWorld world{small_options(), seed, {}, {.ring_full = {3}}};
    base::SeededRandom random{seed.number};
    Truth truth;
    Follower one{world, truth, "one", 0, {"t"}};
    Follower two{world, truth, "two", 1, {"t"}};
    one.connect();
    two.connect();
    for (int i = 0; i < 40; ++i) {
      (random.below(2) == 0 ? one : two).publish("t", i);
      world.world.run(random.below(10));
    }
    world.world.run_until_idle();
    for (auto* client : {&one, &two}) {
      client->take();
      client->expect_complete();
      client->expect_history("t");
    }
  });
}

TEST_CASE("a drain while all publish: each is told, what was acknowledged was delivered, all close with 1001") {
  int acks = 0;
  explore(
      {.schedules = 60},
      [&](Seed seed) {
        RealtimeWorld world{{},
                            seed,
                            {.faults = {.short_write_in = 5, .short_read_in = 3, .delay_max = 3ms}},
                            {.timer_delay_max = 20ms, .ring_full = {3}}};
        base::SeededRandom random{seed.number};
        Truth truth;
        std::vector<std::unique_ptr<Follower>> clients;
        for (std::size_t i = 0; i < 6; ++i) {
          clients.push_back(std::make_unique<Follower>(world, truth, "user" + std::to_string(i), i % 2,
                                                       std::vector<std::string>{"t"}));
          clients.back()->connect();
        }
        auto left = std::make_shared<std::optional<std::size_t>>();
        const auto drains_at = random.below(60);
        for (std::uint64_t round = 0; round < 120; ++round) {
          if (round == drains_at) {
            world.world.system().run_as_guest([](actor::Ref<SystemSupervisor> service,
                                                 std::shared_ptr<std::optional<std::size_t>> out) -> actor::Task<void> {
              auto answer = co_await service.ask(DrainRealtime{1s}, {.within = 1min});
              if (answer) *out = *answer;
            }(world.realtime->supervisor(), left));
          }
          clients[random.below(clients.size())]->publish("t", static_cast<int>(round));
          world.world.run(random.below(20));
          if (random.below(3) == 0) world.world.advance(std::chrono::milliseconds{random.below(40)});
          for (auto& client : clients) client->take();
        }
        world.world.advance(10s);
        for (auto& client : clients) {
          client->take();
          CHECK(client->was_told_to_go());
          CHECK_EQ(client->socket()->close_code(), 1001);
          acks += client->acks();
        }
        CHECK_EQ(*left, 0u);
      },
      [&] { CHECK_GT(acks, 500); });
}

}  // namespace troupe::realtime
