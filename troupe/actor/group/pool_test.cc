// Pools: who gets what, what happens at the bounds, and that a key keeps its order while the pool grows and shrinks.
#include <doctest/doctest.h>

#include <map>
#include <numeric>
#include <set>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

struct Job {
  int n = 0;
};
struct Hold {
  Duration length;
};
struct WhoAreYou {
  using reply = ActorId;
};
struct Where {
  using reply = int;
};
struct Slow {
  Duration length;
  using reply = int;
};
struct Ordered {
  int user;
  int n;
  int key() const noexcept { return user; }
};
struct Owner {
  std::string name;
  using reply = ActorId;
  static std::string_view key(const Owner& m) noexcept { return m.name; }
};
struct Break {};
struct BreakFirst {};  // the member that was made first; others take long for it
struct Unique {
  std::unique_ptr<int> n;
};
struct Parcels {
  static constexpr bool copyable = false;  // which std::vector does not say of itself
  std::vector<std::unique_ptr<int>> all;
};

/// What all members wrote down, under one thread.
struct Ledger {
  std::map<ActorId, std::vector<int>> jobs;
  std::map<int, std::vector<int>> by_user;
  std::map<int, std::set<ActorId>> handled_by;
  int alive = 0;
  int born = 0;
};
using Book = std::shared_ptr<Ledger>;

class Worker {
 public:
  explicit Worker(Book book) : book_(std::move(book)), number_(book_->born++) { ++book_->alive; }
  Worker(const Worker&) = delete;
  ~Worker() { --book_->alive; }

  void handle(Job m, Context& ctx) { book_->jobs[ctx.id()].push_back(m.n); }
  Task<void> handle(Hold m) { co_await sleep(m.length); }
  ActorId handle(WhoAreYou, Context& ctx) { return ctx.id(); }
  int handle(Where, Context& ctx) { return ctx.core().index(); }
  Task<int> handle(Slow m) {
    co_await sleep(m.length);
    co_return 1;
  }
  void handle(Ordered m, Context& ctx) {
    book_->by_user[m.user].push_back(m.n);
    book_->handled_by[m.user].insert(ctx.id());
  }
  ActorId handle(Owner, Context& ctx) { return ctx.id(); }
  void handle(Break) { throw std::runtime_error("broken"); }
  Task<void> handle(BreakFirst) {
    if (number_ == 0) throw std::runtime_error("broken");
    co_await sleep(10s);
  }
  void handle(Unique) {}
  void handle(Parcels) {}

 private:
  Book book_;
  int number_;
};

struct Fixture {
  explicit Fixture(PoolOptions options, test::Seed seed = 5) : w(seed, {.cores = 3}) {
    workers = pool<Worker>(w, std::move(options), book);
  }
  ActorId whoever() { return w.block_on(workers.ask(WhoAreYou{})).value(); }
  ActorId owner(int n) { return w.block_on(workers.ask(Owner{"user-" + std::to_string(n)})).value(); }
  std::vector<std::size_t> shares() {
    std::vector<std::size_t> all;
    for (const auto& [id, jobs] : book->jobs) all.push_back(jobs.size());
    std::ranges::sort(all);
    return all;
  }

  Book book = std::make_shared<Ledger>();
  test::World w;
  Ref<Worker> workers;
};

using Shares = std::vector<std::size_t>;

}  // namespace

TEST_CASE("a pool is a Ref: what is told before its start waits, and members take their turns") {
  Fixture f{{.size = 3}};
  for (int i = 0; i < 9; ++i) CHECK_EQ(f.workers.tell(Job{i}), Sent::sent);
  f.w.run_until_idle();
  CHECK_EQ(f.shares(), Shares{3, 3, 3});
  Ref<Protocol<Job, WhoAreYou>> narrow = f.workers;
  std::set<ActorId> seen;
  for (int i = 0; i < 3; ++i) seen.insert(f.w.block_on(narrow.ask(WhoAreYou{})).value());
  CHECK_EQ(seen.size(), 3);
}

TEST_CASE("members live on the router's core, or one after the other on all") {
  for (const auto spread : {Spread::one_core, Spread::over_cores}) {
    Fixture f{{.size = 6, .spread = spread, .core = 1}};
    std::multiset<int> cores;
    for (int i = 0; i < 6; ++i) cores.insert(f.w.block_on(f.workers.ask(Where{})).value());
    CHECK_EQ(cores, spread == Spread::one_core ? std::multiset{1, 1, 1, 1, 1, 1} : std::multiset{0, 0, 1, 1, 2, 2});
  }
}

TEST_CASE("the least loaded member is the one with the fewest messages queued, suspended and under way") {
  for (const auto spread : {Spread::one_core, Spread::over_cores}) {
    Fixture f{{.size = 3, .route = Route::least_loaded, .spread = spread}};
    f.w.run_until_idle();
    f.workers.tell(Hold{10s});  // one is suspended
    f.w.run_until_idle();
    for (int i = 0; i < 20; ++i) {
      f.workers.tell(Job{i});
      f.w.run_until_idle();
    }
    CHECK_EQ(f.book->jobs.size(), 2);  // and gets nothing
    const std::size_t before[] = {f.shares().front(), f.shares().back()};
    CHECK_EQ(before[0] + before[1], 20);
    f.w.advance(11s);
    for (int i = 0; i < 30; ++i) f.workers.tell(Job{i});  // none is there yet, but they are under way
    f.w.run_until_idle();
    CHECK_EQ(f.shares(), Shares{10, before[0] + 10, before[1] + 10});
  }
}

TEST_CASE("of two choices the less loaded one is taken") {
  Fixture f{{.size = 2, .route = Route::power_of_two}};
  f.w.run_until_idle();
  f.workers.tell(Hold{10s});
  f.w.run_until_idle();
  for (int i = 0; i < 200; ++i) {
    f.workers.tell(Job{i});
    f.w.run_until_idle();
  }
  f.w.advance(11s);
  const auto shares = f.shares();  // the suspended one is taken where both draws are it, until its queue has grown
  CHECK_GT(shares.back(), 100);
  CHECK_EQ(std::accumulate(shares.begin(), shares.end(), 0u), 200);
}

TEST_CASE("a full member hands over to one other, whose policy then decides") {
  Fixture f{{.size = 2, .member = {.mailbox = {.capacity = 2}}}};
  f.w.run_until_idle();
  f.workers.tell(Hold{10s});
  f.workers.tell(Job{0});  // goes to the other
  f.w.run_until_idle();
  int sent = 0;
  struct Burst {
    using reply = int;
  };
  struct Sender {
    Ref<Worker> to;
    int handle(Burst) {
      int taken = 0;
      for (int i = 0; i < 10; ++i) taken += to.tell(Job{i}) == Sent::sent;
      return taken;
    }
  };
  auto sender = f.w.spawn<Sender>({}, f.workers);
  sent = f.w.block_on(sender.ask(Burst{})).value();
  CHECK_EQ(sent, 4);  // both mailboxes, to the last place
  f.w.advance(11s);
  CHECK_EQ(f.shares(), Shares{2, 3});
}

TEST_CASE("send waits for room behind a pool") {
  Fixture f{{.size = 1, .member = {.mailbox = {.capacity = 2}}}};
  struct Burst {
    using reply = int;
  };
  struct Sender {
    Ref<Worker> to;
    Task<int> handle(Burst) {
      int taken = 0;
      for (int i = 0; i < 10; ++i) {
        const Sent sent = co_await to.send(Job{i});
        taken += sent == Sent::sent;
      }
      co_return taken;
    }
  };
  auto sender = f.w.spawn<Sender>({}, f.workers);
  f.workers.tell(Hold{1s});
  CHECK_EQ(f.w.block_on(sender.ask(Burst{})).value(), 10);
  f.w.run_until_idle();
  CHECK_EQ(f.book->jobs.begin()->second, std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("a key always has the same member, and a new member takes its share from all others and nothing else") {
  Fixture f{{.size = 4, .route = Route::consistent_hash, .spread = Spread::over_cores}};
  std::vector<ActorId> before;
  for (int n = 0; n < 400; ++n) before.push_back(f.owner(n));
  CHECK_EQ(f.owner(17), before[17]);
  CHECK_EQ((std::set(before.begin(), before.end()).size()), 4);
  resize(f.workers, 5);
  f.w.run_until_idle();
  int moved = 0;
  std::set<ActorId> to;
  for (int n = 0; n < 400; ++n) {
    const ActorId now = f.owner(n);
    if (now == before[static_cast<std::size_t>(n)]) continue;
    ++moved;
    to.insert(now);
  }
  CHECK_EQ(to.size(), 1);
  CHECK_GT(moved, 400 / 5 / 2);
  CHECK_LT(moved, 400 / 5 * 2);
  resize(f.workers, 4);
  f.w.run_until_idle();
  for (int n = 0; n < 400; ++n) CHECK_EQ(f.owner(n), before[static_cast<std::size_t>(n)]);
}

TEST_CASE("messages without a key go round in a pool that sorts by key") {
  Fixture f{{.size = 3, .route = Route::consistent_hash}};
  for (int i = 0; i < 9; ++i) f.workers.tell(Job{i});
  f.w.run_until_idle();
  CHECK_EQ(f.shares(), Shares{3, 3, 3});
}

namespace {

struct Pump {
  int rounds;
};
/// Tells a pool numbered messages of many keys, over many turns.
class Source {
 public:
  Source(Ref<Worker> to, int first_user) : to_(to), first_user_(first_user) {}
  void handle(Pump m, Context& ctx) {
    for (int i = 0; i < 5; ++i) {
      const int user = first_user_ + static_cast<int>(ctx.random().below(6));
      to_.tell(Ordered{user, ++sent_[user]});
      if (ctx.random().below(8) == 0) to_.tell(Hold{1ms});
    }
    if (m.rounds > 0)
      ctx.after(this, Duration{100'000} * static_cast<std::int64_t>(ctx.random().below(30)), Pump{m.rounds - 1});
  }

 private:
  Ref<Worker> to_;
  int first_user_;
  std::map<int, int> sent_;
};

}  // namespace

TEST_CASE("each key keeps its order, and nothing is lost, however a pool is resized") {
  test::explore({.schedules = 40}, [&](test::Seed seed) {
    Fixture f{{.size = 2 + static_cast<std::uint32_t>(seed.number % 3),
               .route = Route::consistent_hash,
               .spread = seed.number % 2 == 0 ? Spread::one_core : Spread::over_cores,
               .member = {.mailbox = {.capacity = 10'000}}},
              seed};
    for (int i = 0; i < 3; ++i) f.w.spawn<Source>({.core = i}, f.workers, 10 * i).tell(Pump{30});
    for (int round = 0; round < 12; ++round) {
      f.w.advance(Duration{1'000'000} * static_cast<std::int64_t>(f.w.random().below(8)));
      resize(f.workers, 1 + static_cast<std::uint32_t>(f.w.random().below(6)));
    }
    f.w.advance(10s);
    int total = 0;
    for (const auto& [user, numbers] : f.book->by_user) {
      for (std::size_t i = 0; i < numbers.size(); ++i) REQUIRE_EQ(numbers[i], static_cast<int>(i) + 1);
      total += static_cast<int>(numbers.size());
    }
    CHECK_EQ(total, 3 * 31 * 5);
    std::size_t moves = 0;
    for (const auto& [user, members] : f.book->handled_by) moves += members.size() - 1;
    CHECK_GT(moves, 0);
  });
}

TEST_CASE("a member that leaves handles what it has to the end") {
  Fixture f{{.size = 3}};
  f.w.run_until_idle();
  auto asked = f.w.block_on([](Fixture* f) -> Task<int> {
    auto one = f->workers.ask(Slow{50ms});
    resize(f->workers, 1);
    int answered = 0;
    for (int i = 0; i < 3; ++i) f->workers.tell(Hold{20ms});
    auto done = co_await one;
    answered += done.has_value() ? *done : 0;
    co_return answered;
  }(&f));
  CHECK_EQ(asked, 1);
  f.w.advance(1s);
  CHECK_EQ(f.book->alive, 1);
  std::set<ActorId> left;
  for (int i = 0; i < 5; ++i) left.insert(f.whoever());
  CHECK_EQ(left.size(), 1);
}

TEST_CASE("a broadcast reaches every member, and is never asked") {
  Fixture f{{.size = 3, .route = Route::broadcast, .spread = Spread::over_cores}};
  f.workers.tell(Job{7});
  f.w.run_until_idle();
  CHECK_EQ(f.book->jobs.size(), 3);
  for (const auto& [id, jobs] : f.book->jobs) CHECK_EQ(jobs, std::vector{7});
  auto asked = f.w.block_on(f.workers.ask(WhoAreYou{}));
  REQUIRE_FALSE(asked.has_value());
  CHECK_EQ(asked.error().outcome, Outcome::not_executed);
  CHECK_EQ(asked.error().what, "a broadcast pool is told, not asked");
  f.workers.tell(Unique{std::make_unique<int>(1)});  // cannot be copied: counted as a drop, delivered to nobody
  f.workers.tell(Parcels{});
  f.w.run_until_idle();
  for (const auto& figures : figures_of(f.w.system())) {
    if (figures.type == "Pool") CHECK_EQ(figures.dropped[static_cast<std::size_t>(Drop::unroutable)], 3);
  }
}

TEST_CASE("a member that fails is started again, one that is given up leaves, and a pool without members starts anew") {
  Fixture f{{.size = 2}};
  f.w.run_until_idle();
  f.workers.tell(Break{});
  f.w.advance(1s);
  CHECK_EQ(f.book->alive, 2);

  Fixture g{{.size = 2, .supervision = {.decide = [](const std::exception_ptr&) { return Directive::stop; }}}};
  g.w.run_until_idle();
  g.workers.tell(Break{});
  g.w.advance(1s);
  CHECK_EQ(g.book->alive, 1);
  CHECK_EQ(g.whoever(), g.whoever());
  g.workers.tell(Break{});
  g.w.run_until_idle();
  CHECK_EQ(g.book->alive, 0);
  g.w.advance(1s);
  CHECK_EQ(g.book->alive, 2);
  CHECK_NE(g.whoever(), g.whoever());
}

TEST_CASE("a pool of which only members that leave are left starts anew, and so never ends up empty") {
  for (const auto route : {Route::broadcast, Route::round_robin}) {
    Fixture f{{.size = 2, .route = route, .supervision = {.decide = [](const std::exception_ptr&) {
                                            return Directive::stop;
                                          }}}};
    f.w.run_until_idle();
    for (int i = 0; i < 2; ++i) f.workers.tell(BreakFirst{});
    resize(f.workers, 1);  // the other leaves
    f.w.run_until_idle();
    f.workers.tell(Job{1});  // with nobody there who could take it
    f.w.advance(1min);
    CHECK_EQ(f.book->alive, 1);
    f.workers.tell(Job{2});
    f.w.run_until_idle();
    REQUIRE_FALSE(f.book->jobs.empty());
    CHECK_EQ(f.book->jobs.rbegin()->second.back(), 2);
  }
}

TEST_CASE("a member is told that nobody waits for its answer any more") {
  Fixture f{{.size = 1, .core = 0}};
  CHECK_FALSE(f.w.block_on(f.workers.ask(Slow{1h}, {.within = 10ms})).has_value());
  CHECK_EQ(f.whoever(), f.owner(1));  // the handler that slept has ended, so the member handles others
}

TEST_CASE("an ask that ran out of time at a member on another core may have been carried out") {
  Fixture f{{.size = 2, .spread = Spread::over_cores, .core = 2}};
  f.w.run_until_idle();
  struct Try {
    using reply = std::set<Outcome>;
  };
  struct Asker {
    Ref<Worker> to;
    Task<std::set<Outcome>> handle(Try) {
      std::set<Outcome> outcomes;
      for (int i = 0; i < 2; ++i) to.tell(Hold{1s});
      for (int i = 0; i < 2; ++i) {
        auto answer = co_await to.ask(Where{}, {.within = 100ms});
        if (!answer) outcomes.insert(answer.error().outcome);
      }
      co_return outcomes;
    }
  };
  auto asker = f.w.spawn<Asker>({.core = 2}, f.workers);
  CHECK_EQ(f.w.block_on(asker.ask(Try{})).value(), std::set{Outcome::not_executed, Outcome::unknown});
}

TEST_CASE("a pool that stops ends its members, and what is told then is dead") {
  Fixture f{{.size = 3}};
  f.w.run_until_idle();
  struct End {
    Ref<Worker> what;
    void handle(Job, Context& ctx) { ctx.stop(what); }
  };
  f.w.spawn<End>({}, f.workers).tell(Job{});
  f.w.advance(1s);
  CHECK_EQ(f.book->alive, 0);
  auto asked = f.w.block_on(f.workers.ask(WhoAreYou{}));
  CHECK_EQ(asked.error().outcome, Outcome::not_executed);
}
