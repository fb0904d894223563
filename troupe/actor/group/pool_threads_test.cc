// Pools on real threads, for the thread sanitizer: members on all cores, resized while they are told and asked.
#include <doctest/doctest.h>

#include "troupe/actor/actor.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Add {
  int user;
  int n;
  int key() const noexcept { return user; }
};
struct Count {
  int user;
  using reply = int;
  int key() const noexcept { return user; }
};
struct Ping {
  using reply = int;
};

/// No lock and no atomic: only the one member that owns a user's key writes there, and a pool that lets a second one do
/// so before the first is through has a race that the sanitizer sees.
struct Account {
  int last = 0;
  int out_of_order = 0;
};
using Accounts = std::shared_ptr<std::vector<Account>>;

class Worker {
 public:
  explicit Worker(Accounts accounts) : accounts_(std::move(accounts)) {}
  void handle(Add m) {
    Account& account = of(m.user);
    if (++account.last != m.n) ++account.out_of_order;
  }
  int handle(Count m) { return of(m.user).out_of_order == 0 ? of(m.user).last : -1; }
  int handle(Ping) { return 1; }

 private:
  Account& of(int user) { return (*accounts_)[static_cast<std::size_t>(user)]; }
  Accounts accounts_;
};

struct Burst {
  int first;
  bool only_wait = false;  // for the one before
  using reply = int;
};
/// Tells of four users, which nobody else tells of, and asks between; changes the pool's size while its queues are
/// full.
class Source {
 public:
  Source(Ref<Worker> to, int user) : to_(to), user_(user) {}
  Task<int> handle(Burst m) {
    if (m.only_wait) co_return 1;
    for (int i = 0; i < 100; ++i) {
      if (i % 25 == 12) resize(to_, 1 + static_cast<std::uint32_t>(m.first / 100 + i + user_) % 5);
      for (int u = 0; u < 4; ++u) to_.tell(Add{user_ + u, m.first + i});
    }
    for (int i = 0; i < 10; ++i) {
      auto answer = co_await to_.ask(Ping{});
      CHECK(answer.has_value());
    }
    co_return 1;
  }

 private:
  Ref<Worker> to_;
  int user_;
};

struct Rig {
  explicit Rig(Route route) {
    workers = pool<Worker>(
        system, {.size = 3, .route = route, .spread = Spread::over_cores, .member = {.mailbox = {.capacity = 100'000}}},
        accounts);
    for (int i = 0; i < 3; ++i) sources.push_back(system.spawn<Source>({.core = i}, workers, 4 * i));
  }
  void round(int number) {
    auto all = [](std::vector<Ref<Source>> from, int n) -> Task<int> {
      for (auto source : from) source.tell(Burst{1 + 100 * n});  // all at once
      int answered = 0;
      for (auto source : from) {
        auto done = co_await source.ask(Burst{1 + 100 * n, true});
        answered += done.value_or(0);
      }
      co_return answered;
    };
    CHECK_EQ(system.block_on(all(sources, number)), 3);
  }
  Accounts accounts = std::make_shared<std::vector<Account>>(12);
  System system{{.cores = 3}};
  Ref<Worker> workers;
  std::vector<Ref<Source>> sources;
};

}  // namespace

TEST_CASE("a pool over real cores keeps each key in order and with one owner while it grows and shrinks") {
  Rig rig{Route::consistent_hash};
  for (int number = 0; number < 6; ++number) rig.round(number);
  for (int user = 0; user < 12; ++user) {
    int last = 0;
    while (last >= 0 && last < 600) last = rig.system.block_on(rig.workers.ask(Count{user})).value();
    CHECK_EQ(last, 600);
  }
}

TEST_CASE("members on other cores may be looked at while they work") {
  for (const auto route : {Route::least_loaded, Route::power_of_two}) {
    System system{{.cores = 3}};
    auto workers = pool<Worker>(system, {.size = 5, .route = route, .spread = Spread::over_cores}, Accounts{});
    for (int i = 0; i < 200; ++i) {
      if (i % 50 == 0) resize(workers, 2 + static_cast<std::uint32_t>(i / 50));
      CHECK_EQ(system.block_on(workers.ask(Ping{})).value(), 1);
    }
  }
}
