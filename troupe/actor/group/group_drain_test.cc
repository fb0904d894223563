// Groups that are drained: what was told before is done by whoever had it, what comes later is not, and the group ends.
#include <doctest/doctest.h>

#include <map>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Job {
  int n = 0;
  int key() const noexcept { return n; }
};
struct Slow {
  Duration length;
};
struct Ask {
  using reply = int;
};
struct Leave {};

struct Ledger {
  std::vector<int> done;
  int born = 0;
  int alive = 0;
};
using Book = std::shared_ptr<Ledger>;

class Worker {
 public:
  static constexpr bool migrates = true;
  explicit Worker(Book book) : book_(std::move(book)) {
    ++book_->born;
    ++book_->alive;
  }
  Worker(const Worker&) = delete;
  ~Worker() { --book_->alive; }
  void handle(Job m) { book_->done.push_back(m.n); }
  Task<void> handle(Slow m) { co_await sleep(m.length); }
  int handle(Ask) { return 1; }
  void handle(Leave, Context& ctx) { ctx.stop(); }

 private:
  Book book_;
};

struct Watcher {
  Watcher(Ref<Worker> its_who, std::shared_ptr<int> its_told) : who(its_who), told(std::move(its_told)) {}
  void started(Context& ctx) { ctx.watch(this, who); }
  void handle(Terminated) { ++*told; }
  Ref<Worker> who;
  std::shared_ptr<int> told;
};

struct Drain {
  Ref<Worker> who;
};
struct Drainer {
  void handle(Drain m, Context& ctx) { ctx.drain(m.who); }
};

std::vector<int> up_to(int n) {
  std::vector<int> all;
  for (int i = 1; i <= n; ++i) all.push_back(i);
  return all;
}

std::uint64_t unroutable(test::World& w) {
  std::uint64_t sum = 0;
  for (const auto& figures : figures_of(w.system())) sum += figures.dropped[static_cast<std::size_t>(Drop::unroutable)];
  return sum;
}

}  // namespace

TEST_CASE("a pool that is drained ends when all its members have handled what they have") {
  for (const Route route : {Route::round_robin, Route::least_loaded, Route::consistent_hash, Route::broadcast}) {
    for (const Spread spread : {Spread::one_core, Spread::over_cores}) {
      test::World w{5, {.cores = 3}};
      auto book = std::make_shared<Ledger>();
      auto ended = std::make_shared<int>(0);
      auto workers =
          pool<Worker>(w, {.size = 3, .route = route, .spread = spread, .restart = Restart::permanent}, book);
      w.spawn<Watcher>({.core = 1}, workers, ended);
      w.run_until_idle();
      for (int i = 0; i < 3; ++i) workers.tell(Slow{1s});
      for (int i = 1; i <= 9; ++i) workers.tell(Job{i});
      w.run_until_idle();
      w.spawn<Drainer>({.core = 2}).tell(Drain{workers});
      w.run_until_idle();
      workers.tell(Job{100});
      w.advance(500ms);
      CHECK_EQ(book->alive, 3);
      CHECK_EQ(*ended, 0);
      w.advance(10s);
      CHECK_EQ(book->alive, 0);
      CHECK_EQ(*ended, 1);
      CHECK_EQ(book->done.size(), route == Route::broadcast ? 27 : 9);
      CHECK_EQ(unroutable(w), 0);
      CHECK_EQ(w.block_on(workers.ask(Ask{})).error().outcome, Outcome::not_executed);
      CHECK_EQ(book->born, 3);
    }
  }
}

TEST_CASE("a pool is drained behind what it was told before it started, and behind what a resize holds back") {
  test::World w{5, {.cores = 2}};
  auto book = std::make_shared<Ledger>();
  auto workers = pool<Worker>(w, {.size = 2, .route = Route::consistent_hash}, book);
  for (int i = 1; i <= 20; ++i) workers.tell(Job{i});
  resize(workers, 1);
  w.system().drain(workers);
  workers.tell(Job{100});
  w.advance(1s);
  CHECK_EQ(book->done.size(), 20);
  CHECK_EQ(book->alive, 0);

  auto others = pool<Worker>(w, {.size = 2, .route = Route::consistent_hash}, book);
  for (int i = 0; i < 2; ++i) others.tell(Slow{1s});
  w.run_until_idle();
  resize(others, 5);
  for (int i = 1; i <= 20; ++i) others.tell(Job{i});
  w.run_until_idle();
  w.system().drain(others);
  w.run_until_idle();
  others.tell(Job{100});
  resize(others, 7);
  w.advance(10s);
  CHECK_EQ(book->done.size(), 40);
  CHECK_EQ(book->alive, 0);
}

TEST_CASE("a lazy actor that is drained handles what it has and is not made again; one that is not there is not made") {
  test::World w{5, {.cores = 2}};
  auto book = std::make_shared<Ledger>();
  auto ended = std::make_shared<int>(0);
  auto idle = lazy<Worker>(w, "idle", {.core = 1}, book);
  w.spawn<Watcher>({}, idle, ended);
  w.run_until_idle();
  w.system().drain(idle);
  w.advance(1s);
  CHECK_EQ(book->born, 0);
  CHECK_EQ(*ended, 1);
  CHECK_EQ(w.block_on(idle.ask(Ask{})).error().outcome, Outcome::not_executed);

  auto busy = lazy<Worker>(w, "busy", {.core = 1}, book);
  w.spawn<Watcher>({}, busy, ended);
  busy.tell(Slow{1s});
  for (int i = 1; i <= 3; ++i) busy.tell(Job{i});
  w.run_until_idle();
  w.spawn<Drainer>({}).tell(Drain{busy});
  w.run_until_idle();
  busy.tell(Job{100});
  w.advance(500ms);
  CHECK_EQ(*ended, 1);
  w.advance(10s);
  CHECK_EQ(book->done, up_to(3));
  CHECK_EQ(*ended, 2);
  CHECK_EQ(book->born, 1);
  CHECK_EQ(book->alive, 0);
}

TEST_CASE("whenever a lazy actor is drained, also while it is put away, what was told before is done") {
  test::explore({.schedules = 40}, [&](test::Seed seed) {
    test::World w{seed, {.cores = 2}};
    auto book = std::make_shared<Ledger>();
    auto user = lazy<Worker>(w, "u", {.passivate_after = 10ms, .core = 1}, book);
    user.tell(Job{1});
    w.advance(10ms);
    w.run(w.random().below(12));
    user.tell(Job{2});
    w.run(w.random().below(12));
    user.tell(Job{3});
    w.system().drain(user);
    user.tell(Job{4});
    w.advance(1s);
    CHECK_EQ(book->done, up_to(3));
    CHECK_EQ(book->alive, 0);
    CHECK_EQ(w.block_on(user.ask(Ask{})).error().outcome, Outcome::not_executed);
  });
}

TEST_CASE("shards that are drained let each entity handle what it has, wherever it is, and end") {
  test::explore({.schedules = 40}, [&](test::Seed seed) {
    test::World w{seed, {.cores = 3}};
    auto book = std::make_shared<Ledger>();
    Shards<Worker> workers{w, {.count = 4, .passivate_after = 20ms}, book};
    struct Burst {};
    struct Sender {
      Shards<Worker> to;
      int first;
      void handle(Burst) {
        for (int i = 0; i < 8; ++i) to.ref("key-" + std::to_string(i % 5)).tell(Job{first + i});
        if (first == 0) to.drain();
      }
    };
    std::vector<Ref<Sender>> senders;
    for (int i = 0; i < 3; ++i) senders.push_back(w.spawn<Sender>({.core = i}, workers, 100 * i));
    for (const int i : {1, 2}) senders[static_cast<std::size_t>(i)].tell(Burst{});
    workers.ref("key-1").tell(Slow{5ms});
    w.advance(Duration{1'000'000} * static_cast<std::int64_t>(w.random().below(40)));
    w.system().run_as_guest([](Shards<Worker> all) -> Task<void> {
      for (std::uint32_t i = 0; i < 4; ++i) (void)co_await all.move(i, static_cast<int>(i) % 3);
    }(workers));
    w.run(w.random().below(60));
    senders[0].tell(Burst{});
    w.advance(5s);
    CHECK_EQ(book->done.size(), 24);
    CHECK_EQ(book->alive, 0);
    workers.ref("key-1").tell(Job{7});
    CHECK_EQ(w.block_on(workers.ref("key-2").ask(Ask{})).error().outcome, Outcome::not_executed);
    CHECK_EQ(w.block_on(workers.move(0, 1)).error().outcome, Outcome::not_executed);
    CHECK_EQ(book->done.size(), 24);
  });
}

TEST_CASE("shards without entities, and shards that have not started, drain too") {
  test::World w{5, {.cores = 3}};
  auto book = std::make_shared<Ledger>();
  Shards<Worker> workers{w, {.count = 4}, book};
  workers.ref("a").tell(Job{1});
  workers.drain();
  workers.drain();
  w.advance(1s);
  CHECK_EQ(book->done, up_to(1));
  CHECK_EQ(w.block_on(workers.ref("a").ask(Ask{})).error().outcome, Outcome::not_executed);
  const auto tree = w.block_on(w.system().inspect());
  for (const auto& actor : tree) CHECK_NE(actor.type, "ShardRegion");
}

TEST_CASE(
    "a group that is restarted with a sibling keeps its reference, and one that drains meanwhile ends all the same") {
  struct Sibling {
    void handle(Job) { throw std::runtime_error("broken"); }
  };
  test::World w{5, {.cores = 3, .supervision = {.strategy = Strategy::all_for_one}}};
  auto book = std::make_shared<Ledger>();
  auto sibling = w.spawn<Sibling>({});
  const std::array plain{pool<Worker>(w, {.size = 2, .spread = Spread::over_cores}, book),
                         lazy<Worker>(w, "user", {.core = 1}, book)};
  Shards<Worker> workers{w, {.count = 4}, book};
  for (const bool drained : {false, true}) {
    for (const auto one : plain) one.tell(Slow{10s});
    for (const char* key : {"a", "b", "c"}) workers.ref(key).tell(Slow{10s});
    w.run_until_idle();
    for (const auto one : plain) {
      if (drained) w.system().drain(one);
    }
    if (drained) workers.drain();
    w.run_until_idle();
    sibling.tell(Job{});
    w.advance(1s);
    for (const auto one : plain) CHECK_EQ(w.block_on(one.ask(Ask{})).has_value(), !drained);
    CHECK_EQ(w.block_on(workers.ref("a").ask(Ask{})).has_value(), !drained);
  }
  CHECK_EQ(book->alive, 0);
}
