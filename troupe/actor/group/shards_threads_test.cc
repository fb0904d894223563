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
      if (i % 10 == 5) {  // while the others tell, and queues are full
        auto moved = co_await accounts_.move(static_cast<std::uint32_t>(i / 10 + number_) % 4, (m.first + i) % 3);
        moves_ += moved.has_value();
      }
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
  int moves_ = 0;
};

}  // namespace

TEST_CASE("entities move between real cores under load, and each sender's messages keep their order") {
  System system{{.cores = 3}};
  Shards<Account> accounts{system, {.count = 4, .entity = {.mailbox = {.capacity = 1'000'000}}}};
  std::vector<Ref<Source>> sources;
  for (int i = 0; i < 3; ++i) sources.push_back(system.spawn<Source>({.core = i}, accounts, i));
  auto all = [](std::vector<Ref<Source>> from, int first) -> Task<int> {
    for (auto source : from) source.tell(Burst{first, 200});  // all at once
    int right = 0;
    for (auto source : from) {
      auto answer = co_await source.ask(Burst{first + 200, 0}, {.within = 30s});
      right += answer.value_or(0);
    }
    co_return right;
  };
  for (int round = 0; round < 4; ++round) CHECK_EQ(system.block_on(all(sources, 1 + 200 * round)), 3 * 8);
  // From a thread that is no core's, too.
  for (int i = 1; i <= 100; ++i) accounts.ref("key-0").tell(Add{3, i});
  CHECK_EQ(system.block_on(accounts.ref("key-0").ask(Count{3})).value(), 100);
}
