// Shards on real threads, for the thread sanitizer: entities move between cores while they are told and asked.
#include <doctest/doctest.h>

#include "troupe/actor/actor.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Add {
  int from;
  int n;
};
struct Count {
  int from;
  using reply = int;
};

/// Its state is plain memory, which moves from thread to thread.
class Account {
 public:
  static constexpr bool migrates = true;
  void handle(Add m) {
    int& last = last_[static_cast<std::size_t>(m.from)];
    if (last >= 0) last = last + 1 == m.n ? m.n : -1;
  }
  int handle(Count m) const { return last_[static_cast<std::size_t>(m.from)]; }

 private:
  std::array<int, 4> last_{};
};

struct Burst {
  int first;
  int count;
  using reply = int;
};
class Source {
 public:
  Source(Shards<Account> accounts, int number) : accounts_(std::move(accounts)), number_(number) {}
  Task<int> handle(Burst m) {
    for (int i = 0; i < m.count; ++i) {
      for (int key = 0; key < 8; ++key) accounts_.ref("key-" + std::to_string(key)).tell(Add{number_, m.first + i});
    }
    int right = 0;
    for (int key = 0; key < 8; ++key) {
      auto last = co_await accounts_.ref("key-" + std::to_string(key)).ask(Count{number_});
      right += last.has_value() && *last == m.first + m.count - 1;
    }
    co_return right;
  }

 private:
  Shards<Account> accounts_;
  int number_;
};

}  // namespace

TEST_CASE("entities move between real cores under load, and each sender's messages keep their order") {
  System system{{.cores = 3}};
  Shards<Account> accounts{system, {.count = 4, .entity = {.mailbox = {.capacity = 1'000'000}}}};
  std::vector<Ref<Source>> sources;
  for (int i = 0; i < 3; ++i) sources.push_back(system.spawn<Source>({.core = i}, accounts, i));
  int moves = 0;
  for (int round = 0; round < 10; ++round) {
    auto all = [](std::vector<Ref<Source>> from, Shards<Account> moving, int number) -> Task<int> {
      int right = 0;
      for (std::uint32_t shard = 0; shard < 4; ++shard) {
        auto moved = co_await moving.move(shard, static_cast<int>(shard + static_cast<std::uint32_t>(number)) % 3);
        (void)moved;
      }
      for (auto source : from) {
        auto answer = co_await source.ask(Burst{1 + 50 * number, 50}, {.within = 30s});
        right += answer.value_or(0);
      }
      co_return right;
    };
    // One task bursts while the other moves.
    system.run_as_guest([](Shards<Account> moving, int number) -> Task<void> {
      for (int i = 0; i < 6; ++i) {
        auto moved = co_await moving.move(static_cast<std::uint32_t>(i % 4), (i + number) % 3);
        (void)moved;
      }
    }(accounts, round));
    CHECK_EQ(system.block_on(all(sources, accounts, round)), 3 * 8);
    ++moves;
  }
  // From a thread that is no core's, too.
  for (int i = 1; i <= 100; ++i) accounts.ref("key-0").tell(Add{3, i});
  CHECK_EQ(system.block_on(accounts.ref("key-0").ask(Count{3})).value(), 100);
  CHECK_EQ(moves, 10);
}
