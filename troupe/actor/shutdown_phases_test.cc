// Shutdown phases: their order, what runs together, and what does not hold them up.
#include "troupe/actor/shutdown_phases.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

using Lines = std::vector<std::string>;
using Log = std::shared_ptr<Lines>;

/// A phase that notes its begin, takes its time, and notes its end.
std::function<Task<void>()> noting(Log log, std::string name, Duration takes) {
  return [log, name, takes] {
    return [](Log to, std::string who, Duration time) -> Task<void> {
      to->push_back(who + "(");
      co_await sleep(time);
      to->push_back(who + ")");
    }(log, name, takes);
  };
}

std::string_view state_of(test::World& w, std::string_view name) {
  const auto all = w.block_on(w.system().shutdown_phases().progress()).value();
  for (const auto& phase : all) {
    if (phase.name == name) return name_of(phase.state);
  }
  return "no such phase";
}

struct Stopping {
  explicit Stopping(Log its_log) : log(std::move(its_log)) {}
  void stopped(Context&) { log->push_back("actors"); }
  Log log;
};

}  // namespace

TEST_CASE("phases run in the order of what they depend on, then the actors stop") {
  test::explore({.schedules = 10}, [&](test::Seed seed) {
    Log log = std::make_shared<Lines>();
    test::World w{seed};
    w.spawn<Stopping>({}, log);
    auto phases = w.system().shutdown_phases();
    phases.add({.name = "flush", .after = {"drain"}}, noting(log, "flush", 1s));
    phases.add({.name = "drain"}, noting(log, "drain", 2s));
    phases.add({.name = "close", .before = {"drain", "flush"}}, noting(log, "close", 1s));
    w.shutdown();
    CHECK_EQ(*log, Lines{"close(", "close)", "drain(", "drain)", "flush(", "flush)", "actors"});
  });
}

TEST_CASE("what does not depend on each other runs together") {
  Log log = std::make_shared<Lines>();
  test::World w{1};
  auto phases = w.system().shutdown_phases();
  phases.add({.name = "one"}, noting(log, "one", 2s));
  phases.add({.name = "two"}, noting(log, "two", 1s));
  phases.add({.name = "three", .after = {"one", "two"}}, noting(log, "three", 1s));
  w.shutdown();
  CHECK_EQ(*log, Lines{"one(", "two(", "two)", "one)", "three(", "three)"});
}

TEST_CASE("a phase that takes too long or throws is reported, and the shutdown goes on") {
  Log log = std::make_shared<Lines>();
  test::World w{1};
  auto phases = w.system().shutdown_phases();
  phases.add({.name = "slow", .timeout = 1s}, noting(log, "slow", 1h));
  phases.add({.name = "bad", .after = {"slow"}}, []() -> Task<void> { throw std::runtime_error("out of paper"); });
  phases.add({.name = "last", .after = {"bad"}}, noting(log, "last", 1s));
  const auto before = w.manual_clock().now();
  w.shutdown();
  CHECK_LT(w.manual_clock().now() - before, 10s);
  CHECK_EQ(*log, Lines{"slow(", "last(", "last)"});
  REQUIRE_EQ(w.reports().size(), 2);
  CHECK_NE(w.reports()[0].find("slow timed out"), std::string::npos);
  CHECK_NE(w.reports()[1].find("bad failed: out of paper"), std::string::npos);
}

TEST_CASE("a phase that is given no time runs too, alone or beside others, up to where it waits") {
  for (const Duration timeout : {Duration{0}, Duration{-1h}}) {
    Log log = std::make_shared<Lines>();
    test::World w{1};
    auto phases = w.system().shutdown_phases();
    phases.add({.name = "note", .timeout = timeout}, [log]() -> Task<void> {
      log->push_back("noted");
      co_return;
    });
    phases.add({.name = "wait", .after = {"note"}, .timeout = timeout}, noting(log, "wait", 1h));
    w.shutdown();
    CHECK_EQ(*log, Lines{"noted", "wait("});
    REQUIRE_EQ(w.reports().size(), 1);
    CHECK_NE(w.reports()[0].find("wait timed out"), std::string::npos);
  }
}

TEST_CASE("the progress can be seen, in code and in the tree, and a shutdown that has begun is not begun again") {
  Log log = std::make_shared<Lines>();
  test::World w{1};
  auto phases = w.system().shutdown_phases();
  phases.add({.name = "drain", .timeout = 10s}, noting(log, "drain", 4s));
  phases.add({.name = "flush", .after = {"drain"}}, noting(log, "flush", 1s));
  CHECK_EQ(state_of(w, "drain"), "waiting");
  bool done = false;
  phases.begin([&done] { done = true; });
  w.advance(3s);
  CHECK_EQ(state_of(w, "drain"), "running");
  CHECK_EQ(state_of(w, "flush"), "waiting");
  CHECK_EQ(w.block_on(phases.progress()).value()[0].elapsed, 3s);
  bool seen = false;
  for (const auto& actor : w.block_on(w.system().inspect())) {
    for (const auto& [key, value] : actor.details) seen |= key == "drain" && value == "running, 3000 ms";
  }
  CHECK(seen);
  CHECK_FALSE(done);
  w.shutdown();
  CHECK(done);
  CHECK_EQ(*log, Lines{"drain(", "drain)", "flush(", "flush)"});
}

TEST_CASE("a system that has failed does not go through its phases") {
  struct Break {};
  struct Broken {
    void handle(Break) { throw std::runtime_error("broken"); }
  };
  Log log = std::make_shared<Lines>();
  test::World w{1, {.supervision = {.decide = [](const std::exception_ptr&) { return Directive::escalate; }}}};
  w.system().shutdown_phases().add({.name = "drain"}, noting(log, "drain", 1s));
  w.spawn<Broken>({}).tell(Break{});
  w.run_until_idle();
  REQUIRE(w.system().failed());
  w.shutdown();
  CHECK(log->empty());
}

TEST_CASE("a system that gives up while it goes through its phases ends without the rest of them") {
  struct Break {};
  struct Broken {
    void handle(Break) { throw std::runtime_error("broken"); }
  };
  Log log = std::make_shared<Lines>();
  test::World w{1, {.supervision = {.decide = [](const std::exception_ptr&) { return Directive::escalate; }}}};
  w.spawn<Stopping>({}, log);
  auto broken = w.spawn<Broken>({});
  auto phases = w.system().shutdown_phases();
  phases.add({.name = "drain"}, [broken, log]() -> Task<void> {
    log->push_back("drain(");
    broken.tell(Break{});
    co_await sleep(1h);
  });
  phases.add({.name = "flush", .after = {"drain"}}, noting(log, "flush", 1s));
  w.shutdown();
  CHECK(w.system().failed());
  CHECK_EQ(*log, Lines{"drain(", "actors"});
}

TEST_CASE("what is wrong with phases is said with their names") {
  const struct {
    std::vector<ShutdownPhase> phases;
    const char* error;
  } rows[] = {
      {{{.name = "a"}, {.name = "a"}}, "two shutdown phases are called a"},
      {{{.name = "a", .after = {"b"}}}, "the shutdown phase a names b, which nobody added"},
      {{{.name = "a", .after = {"a"}}}, "shutdown phases wait for each other: a"},
      {{{.name = "x"},
        {.name = "a", .after = {"b"}},
        {.name = "b", .after = {"c", "x"}},
        {.name = "c", .after = {"a"}}},
       "shutdown phases wait for each other: a, b, c"},
      {{{.name = "a", .before = {"b"}}, {.name = "b", .before = {"a"}}}, "shutdown phases wait for each other: a, b"},
  };
  for (const auto& row : rows) {
    const auto order = order_of(row.phases);
    REQUIRE_FALSE(order.has_value());
    CHECK_EQ(order.error(), row.error);
  }
  CHECK(order_of({{.name = "a", .after = {"b"}}, {.name = "b"}}).has_value());
}

TEST_CASE("a real system goes through its phases on its own threads") {
  System system{{.cores = 2, .report = [](const std::string&) {}}};
  auto log = std::make_shared<Lines>();
  auto phases = system.shutdown_phases();
  phases.add({.name = "two", .after = {"one"}}, noting(log, "two", 2ms));
  phases.add({.name = "one"}, noting(log, "one", 2ms));
  CHECK(system.shutdown());
  CHECK_EQ(*log, Lines{"one(", "one)", "two(", "two)"});
}
