// Pools: a member that has failed is spared until it has started again, as long as another can take what comes.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Job {
  Instant told{};
};
struct Hold {};  // for ten minutes
struct Break {};
struct Ordered {
  int user;
  bool breaks = false;
  int key() const noexcept { return user; }
};
struct News {};

/// What all members wrote down, under one thread.
struct Ledger {
  std::map<ActorId, int> jobs;
  std::map<int, std::vector<ActorId>> ordered;  // by user
  Duration longest_wait{};
  int news = 0;
  int born = 0;
  bool starts_fail = false;  // of all but the first two members

  int jobs_done() const {
    int all = 0;
    for (const auto& [id, count] : jobs) all += count;
    return all;
  }
};
using Book = std::shared_ptr<Ledger>;

class Worker {
 public:
  explicit Worker(Book book) : book_(std::move(book)) {
    if (book_->born++ >= 2 && book_->starts_fail) throw std::runtime_error("no start");
  }

  void handle(Job m, Context& ctx) {
    ++book_->jobs[ctx.id()];
    book_->longest_wait = std::max(book_->longest_wait, ctx.core().now() - m.told);
  }
  Task<void> handle(Hold) { co_await sleep(10min); }
  void handle(Break) { throw std::runtime_error("broken"); }
  void handle(Ordered m, Context& ctx) {
    if (m.breaks) throw std::runtime_error("broken");
    book_->ordered[m.user].push_back(ctx.id());
  }
  void handle(News) { ++book_->news; }

 private:
  Book book_;
};

const Supervision ten_seconds{.intensity = {.restarts = 1000}, .backoff = {.min = 10s, .max = 10s, .jitter = 0}};

struct Fixture {
  explicit Fixture(PoolOptions options, test::Seed seed = 5) : w(seed, {.cores = 3}) {
    options.supervision = ten_seconds;
    options.core = 0;
    workers = pool<Worker>(w, std::move(options), book);
    w.run_until_idle();
  }
  /// Tells so many jobs and gives how many of them are done without time moving on.
  int jobs_done_at_once(int count) {
    const int before = book->jobs_done();
    for (int i = 0; i < count; ++i) workers.tell(Job{w.manual_clock().now()});
    w.run_until_idle();
    return book->jobs_done() - before;
  }
  void break_one() {
    workers.tell(Break{});
    w.run_until_idle();
  }

  Book book = std::make_shared<Ledger>();
  test::World w;
  Ref<Worker> workers;
};

struct Burst {
  int jobs;
  using reply = int;
};
/// Tells jobs from the core of the pool, where it hears what became of each.
struct Sender {
  Ref<Worker> to;
  int handle(Burst m, Context& ctx) {
    int taken = 0;
    for (int i = 0; i < m.jobs; ++i) taken += to.tell(Job{ctx.core().now()}) == Sent::sent;
    return taken;
  }
};

struct Tick {};
/// Tells a job every ten milliseconds, and so one at each moment at which a member starts again.
struct Clockwork {
  Ref<Worker> to;
  void handle(Tick, Context& ctx) {
    to.tell(Job{ctx.core().now()});
    ctx.after(this, 10ms, Tick{});
  }
};

}  // namespace

TEST_CASE("a member in back-off gets nothing new while others can take it, and its share once it has started again") {
  for (const auto route : {Route::round_robin, Route::least_loaded, Route::power_of_two, Route::consistent_hash}) {
    for (const auto spread : {Spread::one_core, Spread::over_cores}) {
      CAPTURE(static_cast<int>(route));
      CAPTURE(static_cast<int>(spread));
      Fixture f{{.size = 3, .route = route, .spread = spread}};
      f.break_one();
      CHECK_EQ(f.jobs_done_at_once(60), 60);
      CHECK_EQ(f.book->jobs.size(), 2);
      f.w.advance(11s);
      CHECK_EQ(f.jobs_done_at_once(60), 60);
      CHECK_EQ(f.book->jobs.size(), 3);
    }
  }
}

TEST_CASE("where all members are in back-off messages wait for one of them") {
  for (const auto route : {Route::round_robin, Route::least_loaded, Route::power_of_two}) {
    CAPTURE(static_cast<int>(route));
    Fixture f{{.size = 2, .route = route}};
    f.break_one();
    f.break_one();
    CHECK_EQ(f.jobs_done_at_once(20), 0);
    f.w.advance(11s);
    CHECK_EQ(f.book->jobs_done(), 20);
    CHECK_EQ(f.book->jobs.size(), 2);
  }
}

TEST_CASE("what nobody else has room for waits at a member in back-off") {
  for (const auto route : {Route::round_robin, Route::least_loaded}) {
    CAPTURE(static_cast<int>(route));
    Fixture f{{.size = 3, .route = route, .member = {.mailbox = {.capacity = 4}}}};
    f.break_one();
    f.workers.tell(Hold{});
    f.w.run_until_idle();
    f.workers.tell(Hold{});
    f.w.run_until_idle();
    auto sender = f.w.spawn<Sender>({.core = 0}, f.workers);
    CHECK_EQ(f.w.block_on(sender.ask(Burst{20})).value(), 12);  // all three mailboxes, to the last place
    f.w.advance(11s);
    CHECK_EQ(f.book->jobs_done(), 4);
  }
}

TEST_CASE("a message with a key waits for its member, and so keeps its order") {
  Fixture f{{.size = 3, .route = Route::consistent_hash, .spread = Spread::over_cores}};
  for (int user = 0; user < 30; ++user) f.workers.tell(Ordered{user});
  f.w.run_until_idle();
  const auto before = f.book->ordered;
  f.workers.tell(Ordered{0, true});
  f.w.run_until_idle();
  for (int user = 0; user < 30; ++user) f.workers.tell(Ordered{user});
  f.w.run_until_idle();
  for (int user = 0; user < 30; ++user) {
    const bool waits = before.at(user) == before.at(0);
    CHECK_EQ(f.book->ordered[user].size(), waits ? 1 : 2);
  }
  f.w.advance(11s);
  for (int user = 0; user < 30; ++user) {
    CHECK_EQ(f.book->ordered[user], std::vector{before.at(user).front(), before.at(user).front()});
  }
}

TEST_CASE("a broadcast reaches members in back-off too, once they have started again") {
  Fixture f{{.size = 3, .route = Route::broadcast}};
  f.break_one();  // each
  f.workers.tell(News{});
  f.w.advance(11s);
  CHECK_EQ(f.book->news, 3);
}

TEST_CASE("a member whose start fails again and again gets nothing between two of them") {
  test::explore(40, [](test::Seed seed) {
    Fixture f{{.size = 2, .spread = seed.number % 2 == 0 ? Spread::one_core : Spread::over_cores}, seed};
    f.book->starts_fail = true;
    f.break_one();
    f.w.spawn<Clockwork>({.core = 2}, f.workers).tell(Tick{});
    f.w.advance(35s);
    CHECK_GE(f.book->born, 5);
    CHECK_EQ(f.book->jobs_done(), 3'501);
    CHECK_EQ(f.book->longest_wait, 0s);
  });
}

TEST_CASE("a member whose first start fails gets nothing of what was told before the pool began") {
  Book book = std::make_shared<Ledger>();
  book->starts_fail = true;
  test::World w{5};
  auto workers = pool<Worker>(w, {.size = 3, .supervision = ten_seconds}, book);
  for (int i = 0; i < 9; ++i) workers.tell(Job{w.manual_clock().now()});
  w.run_until_idle();
  CHECK_EQ(book->jobs_done(), 9);
}
