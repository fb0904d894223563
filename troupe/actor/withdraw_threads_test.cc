// Withdrawal on real cores, for the thread sanitizer: asks that are passed on from thread to thread.
#include <doctest/doctest.h>

#include <algorithm>

#include "troupe/actor/actor.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Work {
  Duration takes;
  using reply = int;
};
using Door = Ref<Protocol<Work>>;

class Worker {
 public:
  static constexpr bool migrates = true;
  Worker() = default;
  explicit Worker(const std::string&) {}
  Task<int> handle(Work m) {
    co_await sleep(m.takes);
    co_return 1;
  }
};

struct Agent {
  Door to;
  Delegated<int> handle(Work m) { return to.delegate(m); }
};

struct Session {
  int asks;
  using reply = int;
};
/// Asks with little patience, now for works that end in time and now for such that never would.
class Client {
 public:
  static constexpr bool interleaves = true;
  Client(std::vector<Door> doors, Shards<Worker> entities) : doors_(std::move(doors)), entities_(std::move(entities)) {}

  Task<int> handle(Session m, Context& ctx) {
    int outcomes = 0;
    for (int i = 0; i < m.asks; ++i) {
      const Work work{i % 3 == 0 ? Duration{1h} : Duration::zero()};
      const Duration within = Duration{1'000'000} * static_cast<std::int64_t>(1 + ctx.random().below(4));
      const auto choice = ctx.random().below(doors_.size() + 1);
      if (choice < doors_.size()) {
        auto answer = co_await doors_[choice].ask(work, {.within = within});
        outcomes += answer.has_value() || answer.error().outcome != Outcome::answered;
      } else {
        auto answer =
            co_await entities_.ref("key-" + std::to_string(ctx.random().below(5))).ask(work, {.within = within});
        outcomes += answer.has_value() || answer.error().outcome != Outcome::answered;
      }
    }
    co_return outcomes;
  }

 private:
  std::vector<Door> doors_;
  Shards<Worker> entities_;
};

}  // namespace

TEST_CASE("on real cores too each ask that is passed on has one outcome, and what nobody waits for ends") {
  System system{{.cores = 3, .report = [](const std::string&) {}}};
  Shards<Worker> entities{system, {.count = 4, .passivate_after = 5ms, .move_within = 5ms}};
  std::vector<Door> doors;
  for (int core = 0; core < 3; ++core) {
    doors.push_back(system.spawn<Worker>({.core = core}));
    doors.push_back(pool<Worker>(system, {.size = 3, .spread = Spread::over_cores, .core = core}));
    doors.push_back(lazy<Worker>(system, "lazy", {.passivate_after = 5ms, .core = core}));
  }
  for (int i = 0; i < 9; ++i) doors.push_back(system.spawn<Agent>({.core = i % 3}, doors[static_cast<std::size_t>(i)]));
  std::vector<Ref<Client>> clients;
  for (int core = 0; core < 3; ++core) clients.push_back(system.spawn<Client>({.core = core}, doors, entities));
  auto all = [](std::vector<Ref<Client>> from, Shards<Worker> shards) -> Task<int> {
    for (auto client : from) client.tell(Session{100});
    for (std::uint32_t i = 0; i < 20; ++i) {
      auto moved = co_await shards.move(i % 4, static_cast<int>(i) % 3);
      (void)moved;
    }
    int outcomes = 0;
    for (auto client : from) {
      auto answer = co_await client.ask(Session{100}, {.within = 30s});
      outcomes += answer.value_or(0);
    }
    co_return outcomes;
  };
  CHECK_EQ(system.block_on(all(clients, entities)), 300);
  // The clients may still be asking, and a withdrawal be under way; but no work goes on for an hour.
  auto quiet = [](System& whole) -> Task<bool> {
    for (int i = 0; i < 3000; ++i) {
      auto all_actors = co_await whole.inspect();
      const auto works = [](const auto& actor) { return actor.type == "Worker" && actor.in_flight > 0; };
      if (std::ranges::none_of(all_actors, works)) co_return true;
      co_await sleep(10ms);
    }
    co_return false;
  };
  CHECK(system.block_on(quiet(system)));
}
