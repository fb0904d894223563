// Telling and asking: every ask has exactly one outcome, and the outcome tells whether to repeat it.
#include <doctest/doctest.h>

#include <optional>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Inc {
  std::int64_t by = 1;
};
struct Get {
  using reply = std::int64_t;
};
struct Slow {
  Duration delay;
  using reply = std::int64_t;
};
struct Stuck {
  Duration delay;
};
enum class TakeError { too_much };
struct Take {
  std::int64_t n;
  using reply = std::int64_t;
  using error = TakeError;
};
struct Fail {
  using reply = std::int64_t;
};
struct Later {
  using reply = std::int64_t;
};
struct Forget {
  using reply = std::int64_t;
};
struct Fumble {
  using reply = std::int64_t;
};
struct Find {
  using reply = std::optional<std::int64_t>;
};
struct Unknown {};

class Counter {
 public:
  explicit Counter(std::int64_t start = 0) : n_(start) {}
  void handle(Inc m) { n_ += m.by; }
  std::int64_t handle(const Get&) const { return n_; }
  Task<std::int64_t> handle(Slow m, Context& ctx) {
    co_await ctx.sleep(m.delay);
    co_return n_;
  }
  Task<void> handle(Stuck m) { co_await sleep(m.delay); }
  Task<std::optional<std::int64_t>> handle(Find) {
    if (n_ == 0) co_return {};
    co_return n_;
  }
  std::expected<std::int64_t, TakeError> handle(Take m) {
    if (m.n > n_) return std::unexpected(TakeError::too_much);
    return n_ -= m.n;
  }
  std::int64_t handle(Fail) { throw std::runtime_error("no luck"); }
  void handle(Later, Reply<std::int64_t> reply) { waiting_.push_back(std::move(reply)); }
  void handle(Forget, Reply<std::int64_t>) {}
  void handle(Fumble, Reply<std::int64_t>) { throw std::runtime_error("fumbled"); }

 private:
  std::int64_t n_;
  std::vector<Reply<std::int64_t>> waiting_;
};
static_assert(Handles<Counter, Inc> && Handles<Counter, Get> && Handles<Counter, Slow> && Handles<Counter, Take>);
static_assert(!Handles<Counter, Unknown>);

// What either compiler calls a type is read alike.
static_assert(detail::name_of_type<Counter>() == "Counter");
static_assert(detail::type_in_signature("name_of_type() [A = a::Pair<int, a::B>]") == "Pair<int, a::B>");
static_assert(detail::type_in_signature("name_of_type() [with A = a::B<int [3]>; string_view = std::x<char>]") ==
              "B<int [3]>");
static_assert(satisfies<Counter, Protocol<Inc, Get>>::value && !satisfies<Counter, Protocol<Unknown>>::value);

struct Wrong {
  using reply = std::string;
};
struct WrongActor {
  int handle(Wrong) { return 1; }
};
static_assert(!Handles<WrongActor, Wrong>);

struct Sum {
  Ref<Protocol<Inc, Get>> a, b;
  using reply = std::int64_t;
};
class Adder {
 public:
  Task<std::int64_t> handle(Sum m) {
    m.a.tell(Inc{});
    auto a = co_await m.a.ask(Get{});
    auto b = co_await m.b.ask(Get{});
    co_return a.value() + b.value();
  }
};

struct Spin {
  int left;
};
class Spinner {
 public:
  void handle(Spin m, Context& ctx) {
    if (m.left > 0) ctx.self(this).tell(Spin{m.left - 1});
  }
};

/// Notes when the other core has something to do.
class BusySender {
 public:
  BusySender(Ref<Counter> whom, Instant* seen) : whom_(whom), seen_(seen) {}
  void handle(Spin m, Context& ctx) {
    if (m.left == 100) whom_.tell(Inc{});
    Core& there = ctx.core().host().core(0);
    if (*seen_ == Instant{} && there.has_work()) *seen_ = ctx.core().read_clock();
    if (m.left > 0) ctx.self(this).tell(Spin{m.left - 1});
  }

 private:
  Ref<Counter> whom_;
  Instant* seen_;
};

struct AskInVain {
  Ref<Counter> whom;
  Duration within;
};
class Impatient {
 public:
  explicit Impatient(std::optional<Duration>* waited) : waited_(waited) {}
  Task<void> handle(AskInVain m, Context& ctx) {
    const auto begun = ctx.now();
    auto answer = co_await m.whom.within(m.within).ask(Later{});
    if (!answer) *waited_ = ctx.now() - begun;
  }

 private:
  std::optional<Duration>* waited_;
};

}  // namespace

TEST_CASE("what is told arrives in order, and what is asked is answered") {
  test::explore({.schedules = 20}, [&](test::Seed seed) {
    test::World w{seed};
    for (int core = 0; core < 2; ++core) {
      auto counter = w.spawn<Counter>({.core = core}, std::int64_t{1});
      CHECK_EQ(counter.tell(Inc{4}), Sent::sent);
      auto n = w.block_on(counter.ask(Get{}));
      REQUIRE(n.has_value());
      CHECK_EQ(*n, 5);
    }
  });
}

TEST_CASE("an actor asks others on its own and on another core") {
  test::explore({.schedules = 20}, [&](test::Seed seed) {
    test::World w{seed};
    auto near = w.spawn<Counter>({.core = 0}, std::int64_t{1});
    auto far = w.spawn<Counter>({.core = 1}, std::int64_t{10});
    auto adder = w.spawn<Adder>({});
    CHECK_EQ(w.block_on(adder.ask(Sum{near, far})).value(), 12);
    CHECK_EQ(w.block_on(adder.ask(Sum{far, near})).value(), 13);
  });
}

TEST_CASE("a handler that waits answers with nothing as well as with something") {
  test::World w{1};
  CHECK_EQ(w.block_on(w.spawn<Counter>({}).ask(Find{})).value(), std::nullopt);
  CHECK_EQ(w.block_on(w.spawn<Counter>({}, std::int64_t{3}).ask(Find{})).value(), 3);
}

TEST_CASE("a domain error is an answer") {
  test::World w{1};
  auto counter = w.spawn<Counter>({}, std::int64_t{1});
  auto taken = w.block_on(counter.ask(Take{5}));
  REQUIRE_FALSE(taken.has_value());
  CHECK_EQ(taken.error().outcome, Outcome::answered);
  CHECK(taken.error().domain == TakeError::too_much);
  CHECK_FALSE(taken.error().safe_to_retry());
}

TEST_CASE("an exception in a handler fails its asker and restarts the actor with its arguments") {
  test::World w{1};
  auto counter = w.spawn<Counter>({}, std::int64_t{1});
  counter.tell(Inc{});
  auto failed = w.block_on(counter.ask(Fail{}));
  REQUIRE_FALSE(failed.has_value());
  CHECK_EQ(failed.error().outcome, Outcome::executed_failed);
  CHECK_EQ(failed.error().what, "no luck");
  CHECK_EQ(w.block_on(counter.ask(Get{})).value(), 1);
}

TEST_CASE("who takes the value of a failed ask unseen throws who was asked for what, and why it failed") {
  test::World w{1};
  auto counter = w.spawn<Counter>({}, std::int64_t{1});
  auto failed = w.block_on(counter.ask(Fail{}));
  REQUIRE_FALSE(failed.has_value());
  CHECK_EQ(failed.error().text(), "asking Counter for Fail: no luck");
  CHECK_THROWS_WITH(failed.value(), "asking Counter for Fail: no luck");

  // So does a handler: its asker, and the log, read of the ask that was at fault.
  auto gone = w.spawn<Counter>({}, std::int64_t{1});
  w.system().stop(gone);
  w.run_until_idle();
  auto sum = w.block_on(w.spawn<Adder>({}).ask(Sum{counter, gone}));
  REQUIRE_FALSE(sum.has_value());
  CHECK_EQ(sum.error().text(), "asking Adder for Sum: asking Counter for Get: no such actor");

  auto small = w.spawn<Counter>({.mailbox = {.capacity = 1}}, std::int64_t{1});
  sum = w.block_on(w.spawn<Adder>({}).ask(Sum{small, counter}));  // its Inc has taken the only place
  REQUIRE_FALSE(sum.has_value());
  CHECK_EQ(sum.error().text(), "asking Adder for Sum: asking Counter for Get: the mailbox is full");
}

TEST_CASE("an ask that expires in the queue was not executed; one that expires in the handler is unknown") {
  test::World w{1};
  auto counter = w.spawn<Counter>({.core = 0}, std::int64_t{1});
  auto unknown = w.block_on(counter.ask(Slow{1h}, {.within = 100ms}));
  REQUIRE_FALSE(unknown.has_value());
  CHECK_EQ(unknown.error().outcome, Outcome::unknown);
  counter.tell(Stuck{1h});
  auto queued = w.block_on(counter.ask(Get{}, {.within = 100ms}));
  REQUIRE_FALSE(queued.has_value());
  CHECK_EQ(queued.error().outcome, Outcome::not_executed);
  CHECK(queued.error().safe_to_retry());
}

TEST_CASE("an ask ends in time on a core that never rests") {
  for (const Duration within : {5ms, 31ms, 33ms, 90ms, 400ms}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      CAPTURE(within);
      CAPTURE(seed);
      std::optional<Duration> waited;
      test::World w{{seed}, {.cores = 1, .cost_per_message = 1ms}};
      auto counter = w.spawn<Counter>({}, std::int64_t{1});
      auto impatient = w.spawn<Impatient>({}, &waited);
      auto spinner = w.spawn<Spinner>({});
      spinner.tell(Spin{50'000});
      w.run(50);  // so that asks are opened at any distance from the last look at those without a timer
      impatient.tell(AskInVain{counter, within});
      w.run(1000);
      REQUIRE(w.core(0).has_work());
      REQUIRE(waited.has_value());
      CHECK_GE(*waited, within);
      CHECK_LE(*waited, within + 70ms);  // a long turn in which nobody looks at the clock, twice
    }
  }
}

TEST_CASE("what a long turn sends to another core leaves before the turn ends") {
  test::World w{1, {.cost_per_message = 1ms}};
  Instant seen{};
  auto counter = w.spawn<Counter>({.core = 0}, std::int64_t{1});
  auto sender = w.spawn<BusySender>({.core = 1}, counter, &seen);
  w.run_until_idle();
  sender.tell(Spin{100});
  const Core::Scope scope{w.core(1)};
  const auto begun = w.manual_clock().now();
  w.core(1).turn({.messages = 1000, .time = 1s}, false);
  CHECK_GT(seen, begun);
  CHECK_LE(seen, begun + 40ms);
}

TEST_CASE("a coroutine handler suspends its actor, so no other message is handled meanwhile") {
  test::World w{1};
  auto counter = w.spawn<Counter>({}, std::int64_t{1});
  auto both = w.block_on([](Ref<Counter> c) -> Task<std::pair<std::int64_t, std::int64_t>> {
    c.tell(Inc{});
    auto slow = co_await c.ask(Slow{50ms});
    c.tell(Inc{});
    auto now = co_await c.ask(Get{});
    co_return std::pair{slow.value(), now.value()};
  }(counter));
  CHECK_EQ(both.first, 2);
  CHECK_EQ(both.second, 3);
}

TEST_CASE("a dropped reply is told as such, a kept one keeps its asker waiting to the deadline") {
  test::World w{1};
  auto counter = w.spawn<Counter>({}, std::int64_t{1});
  CHECK_EQ(w.block_on(counter.ask(Forget{})).error().outcome, Outcome::executed_failed);
  CHECK_EQ(w.block_on(counter.ask(Later{}, {.within = 1s})).error().outcome, Outcome::unknown);
}

TEST_CASE("the asker of a handler that throws with the reply in its hand is told so, and of whom he asked what") {
  test::World w{1};
  auto counter = w.spawn<Counter>({}, std::int64_t{1});
  const auto failed = w.block_on(counter.ask(Fumble{}));
  CHECK_EQ(failed.error().outcome, Outcome::executed_failed);
  CHECK_EQ(failed.error().text(), "asking Counter for Fumble: the handler threw before it answered");
  CHECK_EQ(w.block_on(Ref<Counter>{}.ask(Fumble{})).error().text(),
           "asking Counter for Fumble: there is nobody to ask");
}

TEST_CASE("a stale reference is a dead letter and an ask of it is safe to repeat") {
  test::World w{3};
  auto counter = w.spawn<Counter>({}, std::int64_t{1});
  w.run_until_idle();
  lifecycle::request_stop(nullptr, counter.address());
  w.run_until_idle();
  auto gone = w.block_on(counter.ask(Get{}));
  REQUIRE_FALSE(gone.has_value());
  CHECK_EQ(gone.error().outcome, Outcome::not_executed);
  CHECK_EQ(w.block_on(Ref<Counter>{}.ask(Get{})).error().outcome, Outcome::not_executed);
  auto successor = w.spawn<Counter>({}, std::int64_t{7});
  CHECK_EQ(w.block_on(successor.ask(Get{})).value(), 7);
  CHECK_FALSE(w.block_on(counter.ask(Get{})).has_value());
}
