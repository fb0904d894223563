// Delegation: whoever the duty was handed on to answers, and the asker gets exactly one outcome whatever happens.
#include "troupe/actor/delegated.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

enum class Refusal { odd };
struct Halve {
  int n;
  Duration takes{};
  using reply = int;
  using error = Refusal;
};
struct Remaining {
  using reply = Duration;
};

/// Does the work.
class Back {
 public:
  explicit Back(std::shared_ptr<int> handled) : handled_(std::move(handled)) {}
  Task<std::expected<int, Refusal>> handle(Halve m) {
    ++*handled_;
    if (m.takes > Duration::zero()) co_await sleep(m.takes);
    if (m.n < 0) throw std::runtime_error("not below zero");
    if (m.n % 2 != 0) co_return std::unexpected(Refusal::odd);
    co_return m.n / 2;
  }
  Duration handle(Remaining, Context& ctx) { return ctx.core().deadline() - ctx.now(); }

 private:
  std::shared_ptr<int> handled_;
};

/// Hands everything on: at once, or after a moment of its own.
class Front {
 public:
  explicit Front(Ref<Back> back) : back_(back) {}
  Delegated<int, Refusal> handle(Halve m) { return back_.delegate(m); }
  Task<Delegated<Duration>> handle(Remaining m, Context& ctx) {
    co_await ctx.sleep(100ms);
    co_return back_.delegate(m);
  }

 private:
  Ref<Back> back_;
};
static_assert(Handles<Front, Halve> && Handles<Front, Remaining>);

struct Scene {
  explicit Scene(test::World& w, int front_core, int back_core)
      : back(w.spawn<Back>({.core = back_core}, handled)), front(w.spawn<Front>({.core = front_core}, back)) {}
  std::shared_ptr<int> handled = std::make_shared<int>(0);
  Ref<Back> back;
  Ref<Front> front;
};

constexpr std::pair<int, int> places[] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};

}  // namespace

TEST_CASE("the delegate's answer, its domain error and its fault reach the asker as if it had been asked itself") {
  for (const auto& [front, back] : places) {
    test::World w{7};
    Scene scene{w, front, back};
    CHECK_EQ(w.block_on(scene.front.ask(Halve{8})).value(), 4);
    CHECK(w.block_on(scene.front.ask(Halve{7})).error().domain == Refusal::odd);
    const auto failed = w.block_on(scene.front.ask(Halve{-2}));
    CHECK_EQ(failed.error().outcome, Outcome::executed_failed);
    CHECK_EQ(failed.error().what, "not below zero");
  }
}

TEST_CASE("the delegating actor is free as soon as it has handed the duty on") {
  test::World w{1};
  Scene scene{w, 0, 0};
  w.system().run_as_guest([](Ref<Front> front) -> Task<void> {
    auto late = co_await front.ask(Halve{8, 4s});
    CHECK_EQ(late.value(), 4);
  }(scene.front));
  w.advance(1s);
  REQUIRE_EQ(*scene.handled, 1);
  for (const auto& actor : w.block_on(w.system().inspect())) {
    if (actor.type == "Front") CHECK_EQ(actor.in_flight, 0);
    if (actor.type == "Back") CHECK_EQ(actor.in_flight, 1);
  }
  w.advance(1min);
}

TEST_CASE("the deadline goes with the duty") {
  for (const auto& [front, back] : places) {
    test::World w{3};
    Scene scene{w, front, back};
    const auto remaining = w.block_on(scene.front.ask(Remaining{}, {.within = 1s}));
    CHECK_LE(remaining.value(), 900ms);
    CHECK_GT(remaining.value(), 800ms);
    const auto late = w.block_on(scene.front.ask(Halve{8, 1h}, {.within = 1s}));
    CHECK_EQ(late.error().outcome, Outcome::unknown);
  }
}

TEST_CASE("a delegate that is gone, or dies at it, or is nobody, is told as such") {
  for (const auto& [front, back] : places) {
    test::World w{5};
    Scene scene{w, front, back};
    w.run_until_idle();
    w.system().run_as_guest([](Ref<Back> whom) -> Task<void> {
      co_await sleep(50ms);
      lifecycle::request_stop(Core::current(), whom.address());
    }(scene.back));
    CHECK_EQ(w.block_on(scene.front.ask(Halve{8, 4s})).error().outcome, Outcome::executed_failed);
    const auto gone = w.block_on(scene.front.ask(Halve{8}));
    CHECK_EQ(gone.error().outcome, Outcome::not_executed);
    auto alone = w.spawn<Front>({.core = front}, Ref<Back>{});
    CHECK_EQ(w.block_on(alone.ask(Halve{8})).error().what, "there is nobody to ask");
  }
}

TEST_CASE("what was told is handed on as well, and nobody waits for it") {
  test::World w{1};
  Scene scene{w, 0, 1};
  scene.front.tell(Halve{8});
  w.run_until_idle();
  CHECK_EQ(*scene.handled, 1);
}

TEST_CASE("a duty that its delegate has not begun in time was not executed, which is certain on one core") {
  for (const auto& [front, back] : places) {
    test::World w{1};
    Scene scene{w, front, back};
    scene.back.tell(Halve{2, 10s});
    w.run_until_idle();
    const auto late = w.block_on(scene.front.ask(Halve{8}, {.within = 1s}));
    const bool one_core = front == 0 && back == 0;  // where the asker is as well
    CHECK_EQ(late.error().outcome, one_core ? Outcome::not_executed : Outcome::unknown);
    w.advance(1min);
    CHECK_EQ(*scene.handled, 1);
  }
}
