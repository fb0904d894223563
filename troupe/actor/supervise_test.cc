// Supervise: children that are declared in one place, started in order, rolled back and restored.
#include "troupe/actor/supervise.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

using Lines = std::vector<std::string>;
using Log = std::shared_ptr<Lines>;

struct Break {};
struct Quit {};
struct Count {
  using reply = int;
};

/// Takes its time to start, and fails there as often as it is told.
class Slow {
 public:
  Slow(Log log, std::string name, Duration takes, std::shared_ptr<int> failures = nullptr)
      : log_(std::move(log)), name_(std::move(name)), takes_(takes), failures_(std::move(failures)) {}
  ~Slow() { log_->push_back("~" + name_); }
  Task<void> started(Context& ctx) {
    log_->push_back("starts " + name_);
    co_await ctx.sleep(takes_);
    if (failures_ && (*failures_)-- > 0) throw std::runtime_error("a bad start");
    log_->push_back("+" + name_);
  }
  void stopped(Context&) { log_->push_back("-" + name_); }
  void handle(Break) { throw std::runtime_error("broken"); }
  void handle(Quit, Context& ctx) { ctx.stop(); }
  int handle(Count) { return ++count_; }

 private:
  Log log_;
  std::string name_;
  Duration takes_;
  std::shared_ptr<int> failures_;
  int count_ = 0;
};

struct Fixture {
  explicit Fixture(test::Seed seed = 1, Supervision root = {})
      : w(seed, {.cores = 3, .supervision = std::move(root)}) {}
  Lines take() { return std::exchange(*log, {}); }
  Log log = std::make_shared<Lines>();
  test::World w;
  Ref<Slow> a, b, c;
};

const Backoff quick{.min = 10ms, .max = 10ms, .jitter = 0};

}  // namespace

TEST_CASE("the next child starts when the one before has started, and what was told to it waits") {
  for (int spread = 0; spread < 2; ++spread) {
    Fixture f;
    auto supervisor = supervise(f.w.system(), "orders", {}, [&](Children& c) {
      f.a = c.child<Slow>({.name = "a"}, f.log, "a", 1s);
      f.b = c.child<Slow>({.name = "b", .core = spread}, f.log, "b", 1s);
      f.c = c.child<Slow>({.name = "c", .core = 2 * spread}, f.log, "c", Duration::zero());
    });
    f.c.tell(Break{});
    f.w.advance(500ms);
    CHECK_EQ(f.take(), Lines{"starts a"});
    f.w.advance(1s);
    CHECK_EQ(f.take(), Lines{"+a", "starts b"});
    CHECK(f.w.block_on(supervisor.ask(WhenStarted{})).has_value());
    CHECK_EQ(Lines(f.log->begin(), f.log->begin() + 3), Lines{"+b", "starts c", "+c"});
    CHECK_EQ(f.w.block_on(f.c.ask(Count{})).value(), 1);  // after its restart
    f.log->clear();
    f.w.system().stop(supervisor);
    f.w.run_until_idle();
    CHECK_EQ(f.take(), Lines{"-c", "~c", "-b", "~b", "-a", "~a"});
  }
}

TEST_CASE("a child whose start fails is rolled back in reverse order, and its supervisor fails") {
  Fixture f{1, {.backoff = {.min = 100ms, .max = 100ms, .jitter = 0}}};
  auto failures = std::make_shared<int>(1);
  supervise(f.w.system(), "orders", {}, [&](Children& c) {
    f.a = c.child<Slow>({}, f.log, "a", 1ms);
    f.b = c.child<Slow>({.core = 1}, f.log, "b", 1ms);
    f.c = c.child<Slow>({}, f.log, "c", 1ms, failures);
  });
  f.c.tell(Quit{});
  f.w.advance(50ms);
  CHECK_EQ(f.take(), Lines{"starts a", "+a", "starts b", "+b", "starts c", "~c", "-b", "~b", "-a", "~a"});
  f.w.advance(100ms);
  const Lines lines = f.take();
  CHECK_EQ(Lines(lines.begin(), lines.begin() + 6), Lines{"starts a", "+a", "starts b", "+b", "starts c", "+c"});
  CHECK_EQ(f.w.block_on(f.a.ask(Count{})).value(), 1);
  CHECK_EQ(f.w.block_on(f.c.ask(Count{})).error().outcome, Outcome::not_executed);  // it was told to quit, and did
}

TEST_CASE("starts that fail for ever end the system as a failure") {
  Fixture f;
  auto failures = std::make_shared<int>(1000);
  supervise(f.w.system(), "orders", {}, [&](Children& c) { f.a = c.child<Slow>({}, f.log, "a", 1ms, failures); });
  f.w.advance(1h);
  CHECK(f.w.system().failed());
}

TEST_CASE("a supervisor that is restarted restores its children, with their references, save who has ended for good") {
  test::explore({.schedules = 20}, [&](test::Seed seed) {
    Fixture f{seed, {.backoff = quick}};
    supervise(f.w.system(), "orders",
              {.backoff = quick, .decide = [](const std::exception_ptr&) { return Directive::escalate; }},
              [&](Children& c) {
                f.a = c.child<Slow>({.core = 1}, f.log, "a", 1ms);
                f.b = c.child<Slow>({}, f.log, "b", 1ms);
                f.c = c.child<Slow>({.restart = Restart::temporary}, f.log, "c", 1ms);
              });
    f.w.advance(10ms);
    CHECK_EQ(f.w.block_on(f.a.ask(Count{})).value(), 1);
    CHECK_EQ(f.w.block_on(f.c.ask(Count{})).value(), 1);
    f.log->clear();
    f.b.tell(Quit{});
    f.w.run_until_idle();
    CHECK_EQ(f.take(), Lines{"-b", "~b"});
    f.a.tell(Break{});
    f.w.advance(50ms);
    CHECK_EQ(f.take(), Lines{"-c", "~c", "~a", "starts a", "+a", "starts c", "+c"});
    CHECK_EQ(f.w.block_on(f.a.ask(Count{})).value(), 1);
    CHECK_EQ(f.w.block_on(f.c.ask(Count{})).value(), 1);
  });
}

TEST_CASE("supervisors nest: one has started when its children have, and its giving up is its parent's fault") {
  Fixture f{1, {.backoff = quick}};
  auto outer =
      supervise(f.w.system(), "outer", {.strategy = Strategy::all_for_one, .backoff = quick}, [&](Children& o) {
        o.supervise("inner", {.intensity = {.restarts = 0}, .backoff = quick}, [&](Children& i) {
          f.a = i.child<Slow>({.name = "a"}, f.log, "a", 1s);
          f.b = i.child<Slow>({.name = "b"}, f.log, "b", 1s);
        });
        f.c = o.child<Slow>({.name = "c"}, f.log, "c", 1s);
      });
  CHECK(f.w.block_on(outer.ask(WhenStarted{})).has_value());
  CHECK_EQ(f.take(), Lines{"starts a", "+a", "starts b", "+b", "starts c", "+c"});
  const auto tree = f.w.block_on(f.w.system().inspect());
  CHECK_EQ(std::count_if(tree.begin(), tree.end(), [](const auto& x) { return x.path == "/outer/inner/b"; }), 1);
  f.a.tell(Break{});
  f.w.advance(10s);
  CHECK_EQ(f.take(), Lines{"-c", "~c", "-b", "~b", "~a", "starts a", "+a", "starts b", "+b", "starts c", "+c"});
}

TEST_CASE("an actor may supervise, and what it declares ends with it") {
  struct Owner {
    Log log;
    Ref<Slow>* child;
    Owner(Log its_log, Ref<Slow>* its_child) : log(std::move(its_log)), child(its_child) {}
    void started(Context& ctx) {
      supervise(ctx, "below", {}, [&](Children& c) { *child = c.child<Slow>({}, log, "a", 1ms); });
    }
    void handle(Break) { throw std::runtime_error("broken"); }
  };
  Fixture f{1, {.backoff = quick}};
  auto owner = f.w.spawn<Owner>({.core = 1}, f.log, &f.a);
  f.w.advance(5ms);
  const auto before = f.a;
  CHECK_EQ(f.w.block_on(before.ask(Count{})).value(), 1);
  owner.tell(Break{});
  f.w.advance(50ms);
  CHECK_EQ(f.take(), Lines{"starts a", "+a", "-a", "~a", "starts a", "+a"});
  CHECK_EQ(f.w.block_on(before.ask(Count{})).error().outcome, Outcome::not_executed);
  CHECK_EQ(f.w.block_on(f.a.ask(Count{})).value(), 1);
}

TEST_CASE("what is declared and never spawned gives its place back, and whoever asked it is told") {
  Fixture f;
  CHECK_THROWS_AS(supervise(f.w.system(), "orders", {},
                            [&](Children& c) {
                              f.a = c.child<Slow>({.core = 1}, f.log, "a", 1ms);
                              f.a.tell(Break{});
                              throw std::runtime_error("the declaration fails");
                            }),
                  std::runtime_error);
  CHECK_EQ(f.w.block_on(f.a.ask(Count{})).error().outcome, Outcome::not_executed);
  CHECK(f.log->empty());
}

TEST_CASE("a supervisor that is stopped while its children start stops those that have, and none starts after") {
  for (int at = 0; at < 40; ++at) {
    Fixture f{static_cast<std::uint64_t>(at)};
    auto supervisor = supervise(f.w.system(), "orders", {}, [&](Children& c) {
      f.a = c.child<Slow>({.core = 1}, f.log, "a", 10ms);
      f.b = c.child<Slow>({.core = 2}, f.log, "b", 10ms);
      f.c = c.child<Slow>({}, f.log, "c", 10ms);
    });
    f.w.advance(std::chrono::milliseconds{at});
    f.w.system().stop(supervisor);
    f.w.advance(1s);
    for (const char* name : {"a", "b", "c"}) {
      const auto starts = std::count(f.log->begin(), f.log->end(), std::string("starts ") + name);
      CHECK_EQ(std::count(f.log->begin(), f.log->end(), std::string("~") + name), starts);
    }
    CHECK_EQ(f.w.block_on(f.c.ask(Count{})).error().outcome, Outcome::not_executed);
  }
}

TEST_CASE("a child that does not halt in its time is left behind, and the others go on without it") {
  int left_behind = 0;
  int in_time = 0;
  test::explore(
      {.schedules = 40},
      [&](test::Seed seed) {
        Fixture f{seed};
        supervise(f.w.system(), "orders", {.strategy = Strategy::all_for_one, .backoff = quick}, [&](Children& c) {
          f.a = c.child<Slow>({}, f.log, "a", 1ms);
          f.b = c.child<Slow>({.core = 1, .shutdown = 0ms}, f.log, "b", 1ms);
          f.c = c.child<Slow>({}, f.log, "c", 1ms);
        });
        f.w.advance(10ms);
        f.a.tell(Break{});
        f.w.advance(1s);
        CHECK_EQ(f.w.block_on(f.a.ask(Count{})).value(), 1);
        CHECK_EQ(f.w.block_on(f.c.ask(Count{})).value(), 1);
        const auto reports = f.w.reports();
        const bool late = std::any_of(reports.begin(), reports.end(),
                                      [](const auto& line) { return line.find("did not stop in time") != line.npos; });
        CHECK_EQ(f.w.block_on(f.b.ask(Count{})).has_value(), !late);
        ++(late ? left_behind : in_time);
      },
      [&] {
        CHECK_GT(left_behind, 0);
        CHECK_GT(in_time, 0);
      });
}
