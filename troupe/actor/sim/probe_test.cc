// Probes: what a test expects of an actor, and how it is told when something else came.
#include "troupe/actor/sim/probe.h"

#include <doctest/doctest.h>

using namespace troupe::actor;
using namespace std::chrono_literals;
using test::ProbeFailure;

namespace {

struct Tick {
  int n;
};
struct Alert {
  std::string text;
};
struct Question {
  int n;
  using reply = int;
  using error = std::string;
};
}  // namespace

template <>
struct fmt::formatter<Tick> : fmt::formatter<int> {
  auto format(const Tick& tick, auto& context) const { return fmt::formatter<int>::format(tick.n, context); }
};

namespace {

using Watching = Protocol<Tick, Alert, Question, Terminated>;

struct Go {
  int ticks;
};
/// Ticks, asks how many it was, and alerts with the answer.
struct Clock {
  explicit Clock(Ref<Watching> its_watcher) : watcher(its_watcher) {}
  Task<void> handle(Go m, Context& ctx) {
    for (int i = 1; i <= m.ticks; ++i) watcher.tell(Tick{i});
    auto answer = co_await watcher.ask(Question{m.ticks});
    if (answer) {
      watcher.tell(Alert{std::to_string(*answer)});
    } else if (answer.error().domain) {
      watcher.tell(Alert{*answer.error().domain});
    } else {
      watcher.tell(Alert{answer.error().what});
    }
    co_await ctx.sleep(5s);
    watcher.tell(Tick{0});
  }
  Ref<Watching> watcher;
};

struct Fixture {
  test::World w{7};
  test::Probe<Watching> probe = w.probe<Watching>();
  Ref<Clock> clock = w.spawn<Clock>({.name = "clock", .core = 1}, probe.ref());
};

/// What a failed expectation says.
template <class F>
std::string failure_of(F f) {
  try {
    f();
  } catch (const ProbeFailure& failure) {
    return failure.what();
  }
  return "no failure";
}

}  // namespace

TEST_CASE("a probe sees what it is told in order, by whom, and answers what it is asked") {
  Fixture f;
  f.clock.tell(Go{2});
  CHECK_EQ(f.probe.expect<Tick>().from(f.clock)->n, 1);
  CHECK_EQ(f.probe.expect<Tick>([](const Tick& t) { return t.n == 2; })->n, 2);
  auto question = f.probe.expect<Question>();
  f.probe.expect_nothing();
  question.reply(42);
  CHECK_EQ(f.probe.expect<Alert>()->text, "42");
  f.probe.expect_nothing(4s);
  f.probe.expect<Tick>({}, 2s);
}

TEST_CASE("a probe answers with the domain error, or not at all, and the asker is told") {
  Fixture f;
  f.clock.tell(Go{0});
  f.probe.expect<Question>().fail("no idea");
  CHECK_EQ(f.probe.expect<Alert>()->text, "no idea");
  f.probe.expect<Tick>({}, 6s);
  f.clock.tell(Go{0});
  f.probe.expect<Question>();
  CHECK_EQ(f.probe.expect<Alert>()->text, "the reply was dropped");
}

namespace {

/// Knows the answers, but thinks about them.
struct Expert {
  void handle(Tick m) { ticks += m.n; }
  Task<std::expected<int, std::string>> handle(Question m, Context& ctx) {
    co_await ctx.sleep(2s);
    if (m.n == 0) co_return std::unexpected("nothing to know");
    co_return 100 * m.n + ticks;
  }
  int ticks = 0;
};

}  // namespace

TEST_CASE("what a probe hands on is handled by the other, who answers whoever asked") {
  Fixture f;
  for (const int core : {0, 1}) {
    auto expert = f.w.spawn<Expert>({.core = core});
    f.clock.tell(Go{2});
    f.probe.expect<Tick>().to(expert);
    f.probe.expect<Tick>().to(expert);
    f.probe.expect<Question>().from(f.clock).to(expert);
    CHECK_EQ(f.probe.expect<Alert>({}, 3s)->text, "203");
    f.probe.expect<Tick>({}, 6s);
    f.clock.tell(Go{0});
    f.probe.expect<Question>().to(expert);
    CHECK_EQ(f.probe.expect<Alert>({}, 3s)->text, "nothing to know");
    f.probe.expect<Tick>({}, 6s);
  }
}

TEST_CASE("what a probe hands on too late is not handled any more") {
  Fixture f;
  auto expert = f.w.spawn<Expert>({.core = 1});
  f.clock.tell(Go{0});
  auto question = f.probe.expect<Question>();
  f.w.advance(4s);  // of the five that an ask waits
  std::move(question).to(expert);
  CHECK(f.probe.expect<Alert>({}, 2s)->text.contains("no answer"));
  f.probe.ignore<Tick>();
  f.probe.expect_nothing(1min);
  CHECK_EQ(f.w.open_asks(), 0);
}

TEST_CASE("what is ignored does not count") {
  Fixture f;
  f.probe.ignore<Tick>();
  f.clock.tell(Go{3});
  f.probe.expect<Question>().reply(1);
  f.probe.expect<Alert>();
  f.probe.expect_nothing(1min);
}

TEST_CASE("a probe is told when who it watches has ended") {
  Fixture f;
  f.probe.watch(f.clock);
  f.probe.expect_nothing();
  lifecycle::request_stop(nullptr, f.clock.address());
  CHECK(f.probe.expect<Terminated>()->who == f.clock.address());
}

TEST_CASE("a failed expectation tells what came instead, from whom, and the last steps") {
  Fixture f;
  const auto nothing = failure_of([&] { f.probe.expect<Alert>(); });
  CHECK(nothing.contains("expected Alert, but nothing came"));
  f.clock.tell(Go{2});
  const auto other = failure_of([&] { f.probe.expect<Alert>(); });
  CHECK(other.contains("expected Alert, but this came: \n  Tick 1 (from clock)\n  Tick 2 (from clock)\n  Question"));
  CHECK(other.contains("clock                  -> probe                  Tick"));
  const auto unfit = failure_of([&] { f.probe.expect<Tick>([](const Tick& t) { return t.n == 9; }); });
  CHECK(unfit.contains("expected another one than this: \n  Tick 1 (from clock)"));
  const auto something = failure_of([&] { f.probe.expect_nothing(); });
  CHECK(something.contains("expected nothing, but this came: \n  Tick 1"));
  auto stranger = f.w.spawn<Clock>({.name = "stranger"}, f.probe.ref());
  f.w.run_until_idle();
  const auto from = failure_of([&] { static_cast<void>(f.probe.expect<Tick>().from(stranger)); });
  CHECK_EQ(from, "expected Tick from stranger, but clock told it");
}
