// Faults at awkward moments: beside a ready handler, in a constructor, while being stopped or decided about.
#include <doctest/doctest.h>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Ping {
  using reply = int;
};
struct Nap {
  Duration length;
  bool fails = false;
  using reply = int;
};
struct Break {
  bool and_stop = false;
};

/// Interleaves, so that several naps end in one turn.
class Napper {
 public:
  static constexpr bool interleaves = true;
  int handle(Ping) { return ++count_; }
  void handle(Break m, Context& ctx) {
    if (m.and_stop) ctx.stop();
    throw std::runtime_error("broken");
  }
  Task<int> handle(Nap m) {
    co_await sleep(m.length);
    if (m.fails) throw std::runtime_error("a bad dream");
    co_return 1;
  }

 private:
  int count_ = 0;
};

struct Whom {
  using reply = Ref<Napper>;
};

class Guardian {
 public:
  explicit Guardian(ActorOptions child) : options_(std::move(child)) {}
  void started(Context& ctx) { child_ = ctx.spawn<Napper>(options_); }
  Ref<Napper> handle(Whom) { return child_; }

 private:
  ActorOptions options_;
  Ref<Napper> child_;
};

using Outcomes = std::shared_ptr<std::vector<std::optional<Outcome>>>;

Task<void> nap(Ref<Napper> who, Nap nap, Outcomes out) {
  auto slept = co_await who.ask(std::move(nap), {.within = 1min});
  out->push_back(slept ? std::nullopt : std::optional{slept.error().outcome});
}

/// Decides as it is told, and counts.
Supervision deciding(Directive directive, std::shared_ptr<int> count = std::make_shared<int>(0)) {
  return {.decide = [directive, count](const std::exception_ptr&) {
    ++*count;
    return directive;
  }};
}

class BadConstructor {
 public:
  explicit BadConstructor(std::shared_ptr<int> tries) {
    if (++*tries < 3) throw std::runtime_error("not yet");
  }
  int handle(Ping) { return 1; }
};

}  // namespace

TEST_CASE("a fault beside another handler that is ready neither runs it nor holds the core") {
  test::explore({.schedules = 10}, [&](test::Seed seed) {
    test::World w{seed, {.cores = 1}};
    auto napper = w.spawn<Napper>({});
    Outcomes out = std::make_shared<Outcomes::element_type>();
    w.system().run_as_guest(nap(napper, {10ms, true}, out));
    w.system().run_as_guest(nap(napper, {10ms}, out));
    w.advance(1s);
    REQUIRE_EQ(out->size(), 2);
    for (const auto& outcome : *out) CHECK(outcome == Outcome::executed_failed);
    CHECK_EQ(w.block_on(napper.ask(Ping{})).value(), 1);
  });
}

TEST_CASE("what was ready when its actor failed goes on when the supervisor says resume") {
  test::World w{1, {.supervision = deciding(Directive::resume)}};
  auto napper = w.spawn<Napper>({});
  CHECK_EQ(w.block_on(napper.ask(Ping{})).value(), 1);
  Outcomes out = std::make_shared<Outcomes::element_type>();
  w.system().run_as_guest(nap(napper, {10ms, true}, out));
  w.system().run_as_guest(nap(napper, {10ms}, out));
  w.advance(1s);
  REQUIRE_EQ(out->size(), 2);
  CHECK_EQ(std::count(out->begin(), out->end(), std::nullopt), 1);
  CHECK_EQ(w.block_on(napper.ask(Ping{})).value(), 2);  // with the state it had
}

TEST_CASE("an actor that was never constructed is not resumed but started again") {
  test::World w{1, {.supervision = deciding(Directive::resume)}};
  auto tries = std::make_shared<int>(0);
  auto actor = w.spawn<BadConstructor>({}, tries);
  CHECK_EQ(w.block_on(actor.ask(Ping{})).value(), 1);
  CHECK_EQ(*tries, 3);
}

TEST_CASE("a supervisor whose decision throws has failed itself") {
  test::World w{1};
  auto guardian = w.spawn<Guardian>(
      {.supervision = {.decide = [](const std::exception_ptr&) -> Directive { throw std::logic_error("undecided"); }}},
      ActorOptions{});
  auto napper = w.block_on(guardian.ask(Whom{})).value();
  napper.tell(Break{});
  w.advance(1s);
  auto successor = w.block_on(guardian.ask(Whom{})).value();
  CHECK_NE(napper, successor);
  CHECK_EQ(w.block_on(successor.ask(Ping{})).value(), 1);
  CHECK_FALSE(w.system().failed());
}

TEST_CASE("a child whose fault was passed up goes on when its parent is resumed") {
  for (int core = 0; core < 2; ++core) {
    test::World w{1, {.supervision = deciding(Directive::resume)}};
    auto guardian = w.spawn<Guardian>({.supervision = deciding(Directive::escalate)}, ActorOptions{.core = core});
    auto napper = w.block_on(guardian.ask(Whom{})).value();
    CHECK_EQ(w.block_on(napper.ask(Ping{})).value(), 1);
    napper.tell(Break{});
    CHECK_EQ(w.block_on(napper.ask(Ping{})).value(), 2);
  }
}

TEST_CASE("a permanent actor that asks to stop and then throws is restarted") {
  test::World w{1};
  auto napper = w.spawn<Napper>({.restart = Restart::permanent});
  napper.tell(Break{.and_stop = true});
  w.advance(1s);
  CHECK_EQ(w.block_on(napper.ask(Ping{})).value(), 1);
}

namespace {

/// Spawns a child where it should not: while it stops.
class LateSpawner {
 public:
  explicit LateSpawner(std::shared_ptr<int> alive) : alive_(std::move(alive)) {}
  struct Late {
    explicit Late(std::shared_ptr<int> alive) : alive_(std::move(alive)) { ++*alive_; }
    int handle(Ping) { return 1; }
    std::shared_ptr<int> alive_;
  };
  void stopped(Context& ctx) {
    ctx.spawn<Late>({.core = 0}, alive_);
    ctx.spawn<Late>({.core = 1}, alive_);
  }
  int handle(Ping) { return 1; }

 private:
  std::shared_ptr<int> alive_;
};

/// Has a child on the other core that fails in the same moment as it is given up.
class Impatient {
 public:
  explicit Impatient(Ref<Napper>* child) : child_(child) {}
  void started(Context& ctx) { *child_ = ctx.spawn<Napper>({.core = 1, .shutdown = 0ms}); }
  void handle(Break) { throw std::runtime_error("broken"); }
  int handle(Ping) { return 1; }

 private:
  Ref<Napper>* child_;
};

}  // namespace

TEST_CASE("what a task that runs as a guest throws is reported, and ends neither the tasks of others nor the system") {
  test::World w{1};
  auto over = std::make_shared<bool>(false);
  w.system().run_as_guest([](std::shared_ptr<bool> out) -> Task<void> {
    co_await sleep(10s);
    *out = true;
  }(over));
  for (int i = 0; i < 20; ++i) {
    w.system().run_as_guest([](int number) -> Task<void> {
      co_await sleep(1s);
      throw std::runtime_error("broken " + std::to_string(number));
    }(i));
  }
  w.advance(11s);
  CHECK(*over);
  CHECK_FALSE(w.system().failed());
  REQUIRE_EQ(w.reports().size(), 20);
  CHECK_NE(w.reports()[7].find("guest threw: broken 7"), std::string::npos);
}

TEST_CASE("a child that is spawned by an actor that stops never runs") {
  test::World w{4};
  auto alive = std::make_shared<int>(0);
  auto spawner = w.spawn<LateSpawner>({}, alive);
  CHECK_EQ(w.block_on(spawner.ask(Ping{})).value(), 1);
  lifecycle::request_stop(nullptr, spawner.address());
  w.advance(1min);
  CHECK_EQ(*alive, 0);
  const auto tree = w.block_on(w.system().inspect());
  for (const auto& actor : tree) CHECK_NE(actor.type, "Late");
}

TEST_CASE("a child that its parent has given up may fail all the same") {
  test::explore({.schedules = 200}, [&](test::Seed seed) {
    test::World w{seed};
    Ref<Napper> child;
    auto parent = w.spawn<Impatient>({}, &child);
    CHECK_EQ(w.block_on(parent.ask(Ping{})).value(), 1);
    child.tell(Break{});
    parent.tell(Break{});
    w.advance(Duration{static_cast<std::int64_t>(seed.number % 200) * 500'000});
    child.tell(Break{});
    w.advance(1min);
    CHECK_EQ(w.block_on(parent.ask(Ping{})).value(), 1);
  });
}

TEST_CASE("a report names an actor by one path, whichever core it and its parent are on") {
  for (const int parent : {0, 1}) {
    for (const int child : {0, 1}) {
      test::World w{1};
      w.spawn<Napper>({.name = "top", .core = child}).tell(Break{});
      auto guardian =
          w.spawn<Guardian>({.name = "guardian", .core = parent}, ActorOptions{.name = "ward", .core = child});
      auto nameless = w.spawn<Guardian>({.name = "other", .core = parent}, ActorOptions{.core = child});
      w.block_on(guardian.ask(Whom{})).value().tell(Break{});
      w.block_on(nameless.ask(Whom{})).value().tell(Break{});
      w.run_until_idle();
      const auto said = [&](std::string_view words) {
        return std::ranges::count_if(w.reports(), [&](const auto& line) { return line.starts_with(words); });
      };
      CHECK_EQ(said("/top failed during Break"), 1);
      CHECK_EQ(said("/guardian/ward failed during Break"), 1);
      CHECK_EQ(said(parent == child ? "/other/Napper-" : "/.../Napper-"), 1);
    }
  }
}
