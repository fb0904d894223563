// A fault in the handler of one connection concerns that connection: it starts anew after growing pauses and is closed
// in the end, and others see no more of it than of any client that asks for as much work.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "troupe/realtime/testing/figures.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::connect_many;
using testing::field;
using testing::RealtimeWorld;
using testing::Socket;
using testing::types;

constexpr base::Duration cost = 10us;  // of each message that any actor handles
constexpr std::string_view breaking = R"({"type":"authenticate","id":"7","token":"breaking"})";

/// From now on the handler that waits for this token to be verified throws.
void break_handlers(RealtimeWorld& world) {
  world.verifying = [&world](std::string_view token) {
    if (token != "breaking") return;
    const auto asking = world.world.sender();
    for (std::size_t core = 0; core < world.networks.size(); ++core) {
      world.world.core(core).for_each_cell([&](actor::Cell& cell) {
        if (actor::lifecycle::id_of(cell.address()) != asking) return;
        const actor::Core::Scope scope{*cell.owner};
        actor::lifecycle::fault(cell, std::make_exception_ptr(std::runtime_error{"broken"}), "a command");
      });
    }
  };
}

TEST_CASE("a connection whose handler throws on every frame starts anew after growing pauses, and closes with 1011") {
  RealtimeWorld world;
  break_handlers(world);
  auto broken = world.connect("broken");
  auto other = world.connect("other");
  base::Duration shortest = 5ms;
  for (int failure = 1; failure <= 5; ++failure) {
    CAPTURE(failure);
    const auto said_at = world.world.manual_clock().now();
    broken->say(breaking);
    std::vector<std::string> frames;
    REQUIRE(world.world.run_until([&] { return !(frames = broken->take()).empty(); }, 2s));
    CHECK_EQ(types(frames), "error");
    CHECK_EQ(field(frames[0], "code"), "internal");
    CHECK_EQ(field(frames[0], "id"), "7");
    const auto paused = world.world.manual_clock().now() - said_at;
    CHECK_GE(paused, shortest);
    CHECK_LE(paused, 1200ms);
    shortest = paused * 5 / 4;  // twice as long each time, but for the jitter
    CHECK_EQ(types(world.exchange(broken, R"({"type":"ping"})")), "pong");  // it is there again
    CHECK_EQ(types(world.exchange(other, R"({"type":"ping"})")), "pong");
  }
  for (int i = 0; i < 100; ++i) broken->say(breaking);
  world.world.advance(2s);
  CHECK_EQ(broken->close_code(), 1011);
  world.world.advance(8s);  // what waits is not run any more, so the actor ends with its link
  CHECK_EQ(testing::figures_of(world, "troupe_realtime_connections")[""], 1);
  CHECK_FALSE(other->close_code().has_value());
}

/// A client that says what breaks its handler a thousand times a second, and comes again whenever it was closed.
struct BrokenClient {
  void say() {
    if (!socket || socket->close_code()) {
      if (socket) ++closed_with[*socket->close_code()];
      socket = std::make_unique<testing::TestSocket>(world.networks[0]->connect({{}, 80}), "/ws",
                                                     "Authorization: Bearer broken\r\n");
    }
    if (socket->status() == 101) socket->say(breaking);
    for (const auto& frame : socket->take()) failures += field(frame, "code") == "internal" ? 1 : 0;
  }

  RealtimeWorld& world;
  Socket socket{};
  std::map<std::uint16_t, int> closed_with{};
  int failures = 0;
};

/// What ten thousand clients see of each other: each is subscribed to one of a hundred topics.
class Crowd {
 public:
  static constexpr std::size_t topics = 100;

  explicit Crowd(RealtimeWorld& world) : world_(world) {
    connect_many(world, sockets_, 5'000, 0);
    connect_many(world, sockets_, 5'000, 1);
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
      sockets_[i]->say(fmt::format(R"({{"type":"subscribe","topics":["t{}"]}})", i % topics));
      if (i % 100 == 99) world.world.advance(100ms);
    }
    for (auto& socket : sockets_) {
      CHECK_EQ(types(socket->take()), "welcome subscription_confirmed");
      socket->hear([this](std::string_view) { delays_.push_back(world_.world.manual_clock().now() - said_at_); });
    }
  }

  struct Seen {
    std::vector<base::Duration> delays;  // in rising order
    std::size_t steps_min = SIZE_MAX;    // of all actors in one millisecond
    std::size_t steps_max = 0;
    base::Duration at(double part) const {
      return delays[static_cast<std::size_t>(part * static_cast<double>(delays.size() - 1))];
    }
  };

  /// Each millisecond somebody publishes and ten ask for something.
  Seen watch(std::size_t milliseconds, BrokenClient* broken) {
    Seen seen;
    delays_.clear();
    for (std::size_t i = 0; i < milliseconds; ++i) {
      const auto steps = world_.world.trace().size();
      said_at_ = world_.world.manual_clock().now();
      if (broken != nullptr) broken->say();
      auto& publisher = sockets_[i * 7919 % sockets_.size()];
      publisher->say(fmt::format(R"({{"type":"publish","topic":"t{}","payload":{}}})", i % topics, i));
      for (std::size_t k = 0; k < 10; ++k) sockets_[(i * 10 + k) % sockets_.size()]->say(R"({"type":"ping"})");
      world_.world.advance(1ms);
      const auto took = world_.world.trace().size() - steps;
      seen.steps_min = std::min(seen.steps_min, took);
      seen.steps_max = std::max(seen.steps_max, took);
    }
    seen.delays = std::exchange(delays_, {});
    std::ranges::sort(seen.delays);
    return seen;
  }

  std::size_t closed() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        sockets_, [](const auto& socket) { return socket->close_code().has_value() || socket->is_closed(); }));
  }
  std::size_t size() const { return sockets_.size(); }

 private:
  RealtimeWorld& world_;
  std::vector<Socket> sockets_;
  base::Instant said_at_;
  std::vector<base::Duration> delays_;
};

RealtimeOptions options_of_many() {
  RealtimeOptions options;
  options.connections_by_address_max = 20'000;
  options.connection.heartbeat.interval = 10min;  // pings are not what is looked at
  return options;
}

TEST_CASE("ten thousand others see no delay beyond the cost of its own messages when a handler throws on every frame") {
  RealtimeWorld world{options_of_many(), 1, {}, {}, 2, cost};
  break_handlers(world);
  Crowd crowd{world};
  constexpr std::size_t milliseconds = 1'500;
  const auto calm = crowd.watch(milliseconds, nullptr);
  BrokenClient broken{world};
  const auto beside = crowd.watch(milliseconds, &broken);

  CHECK_EQ(calm.delays.size(), milliseconds * 110);
  CHECK_EQ(beside.delays.size(), calm.delays.size());
  CHECK_GE(broken.failures, 10);
  CHECK_EQ(broken.closed_with.size(), 1);
  CHECK_GE(broken.closed_with[1011], 2);
  const auto own = cost * (beside.steps_max - calm.steps_min);
  MESSAGE("of ", calm.delays.size(), " answers and deliveries: 50% within ", calm.at(0.5) / 1us, " us, beside it ",
          beside.at(0.5) / 1us, "; 99% ", calm.at(0.99) / 1us, " and ", beside.at(0.99) / 1us, "; all ",
          calm.at(1) / 1us, " and ", beside.at(1) / 1us, "; it costs at most ", own / 1us, " in a millisecond, in ",
          broken.failures, " failures");
  for (const double part : {0.1, 0.5, 0.9, 0.99, 0.999}) {
    CAPTURE(part);
    CHECK_LE(beside.at(part), calm.at(part) + 25 * cost);  // what one fault and one start anew cost
  }
  CHECK_LE(beside.at(1), calm.at(1) + own);
  CHECK_LE(own, 160 * cost);  // the 128 commands that wait at most, when it has given up
  CHECK_EQ(crowd.closed(), 0);
  world.world.advance(15s);  // for the closes of the broken one
  std::size_t there = 0;
  for (auto core : world.world.block_on(world.realtime->supervisor().ask(GetDoors{}))->connections) {
    there += world.world.block_on(core.ask(MeasureConnections{}))->open;
  }
  CHECK_LE(there, crowd.size() + 1);
  CHECK_GE(there, crowd.size());
}

}  // namespace
}  // namespace troupe::realtime
