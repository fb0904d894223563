// Deadlocks: a cycle of waiting is found, told with its path, and broken at one request that was not executed.
#include <doctest/doctest.h>

#include <algorithm>

#include "troupe/actor/sim/explore.h"
#include "troupe/actor/testing/random_walk.h"

using namespace troupe::actor;
using namespace troupe::actor::testing;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

using Log = std::shared_ptr<std::vector<std::string>>;

struct Ping {
  using reply = int;
};
struct Note {};

template <bool Interleaves>
class Caller;
using Node = Caller<false>;
using Open = Caller<true>;
using Callee = Protocol<Ping, Note>;

struct Go {
  Ref<Callee> whom;
  Duration after{};
};
struct Send {
  Ref<Callee> whom;
};
struct Tell {
  Ref<Callee> whom;
};
struct Back {
  Ref<Callee> whom;
  using reply = std::string;
};
struct Around {
  Ref<Node> first;
  Ref<Callee> last;
};
struct Nap {
  Duration length;
  using reply = int;
};

/// Writes down how each of its asks ends.
template <bool Interleaves>
class Caller {
 public:
  static constexpr std::string_view actor_type = Interleaves ? "Open" : "Node";
  static constexpr bool interleaves = Interleaves;
  explicit Caller(Log log) : log_(std::move(log)) {}

  int handle(Ping) { return 1; }
  void handle(Note) {}
  Task<int> handle(Nap m) {
    co_await sleep(m.length);
    co_return 1;
  }
  Task<void> handle(Go m) {
    co_await sleep(m.after);
    auto answer = co_await m.whom.ask(Ping{}, {.within = 1h});
    log_->push_back(answer ? "answered" : words(answer.error()));
  }
  Task<void> handle(Send m) {
    auto sent = co_await m.whom.send(Note{});
    log_->push_back(sent == Sent::sent ? "sent" : "not sent");
  }
  void handle(Tell m) { m.whom.tell(Note{}); }
  Task<std::string> handle(Back m) {
    auto answer = co_await m.whom.ask(Ping{}, {.within = 1h});
    co_return answer ? "answered" : words(answer.error());
  }
  Task<void> handle(Around m) {
    auto answer = co_await m.first.ask(Back{m.last}, {.within = 1h});
    log_->push_back(answer ? *answer : words(answer.error()));
  }

 private:
  static std::string words(const Failure<>& failure) {
    return (failure.safe_to_retry() ? "" : "not safe to retry: ") + failure.what;
  }
  Log log_;
};

/// Up to four actors, on one core or each on its own.
struct Circle {
  explicit Circle(bool apart, test::Seed seed = 1, MailboxOptions mailbox = {}) : w(seed, {.cores = 4}) {
    for (int i = 0; i < 4; ++i) {
      nodes.push_back(w.spawn<Node>(
          {.name = std::string(1, static_cast<char>('a' + i)), .core = apart ? i : 0, .mailbox = mailbox}, log));
    }
    w.run_until_idle();
  }
  std::ptrdiff_t count(std::string_view line) const { return std::ranges::count(*log, line); }
  std::ptrdiff_t deadlocks() const {
    return std::ranges::count_if(*log, [](const auto& line) { return line.starts_with("deadlock: "); });
  }

  test::World w;
  Log log = std::make_shared<std::vector<std::string>>();
  std::vector<Ref<Node>> nodes;
};

}  // namespace

TEST_CASE("an actor that asks itself is told of the deadlock at once, not at its deadline") {
  Circle ring{false};
  ring.nodes[0].tell(Go{ring.nodes[0]});
  ring.w.advance(110ms);
  CHECK_EQ(*ring.log, std::vector<std::string>{"deadlock: Node(/a) -> Node(/a)"});
  CHECK_EQ(ring.w.block_on(ring.nodes[0].ask(Ping{})).value(), 1);
  CHECK(std::ranges::count(ring.w.reports(), "deadlock: Node(/a) -> Node(/a)") == 1);
}

TEST_CASE("two actors that ask each other are told the cycle: one ask fails, the other is answered") {
  for (const bool apart : {false, true}) {
    test::explore({.schedules = 20}, [&](test::Seed seed) {
      Circle ring{apart, seed};
      ring.nodes[0].tell(Go{ring.nodes[1]});
      ring.nodes[1].tell(Go{ring.nodes[0]});
      ring.w.advance(300ms);
      CHECK_EQ(ring.log->size(), 2);
      CHECK_EQ(ring.deadlocks(), 1);
      CHECK_EQ(ring.count("answered"), 1);
    });
  }
}

TEST_CASE("the ask that closed the cycle is the one that fails") {
  Circle ring{false};
  ring.nodes[0].tell(Go{ring.nodes[1], 5ms});
  ring.nodes[1].tell(Go{ring.nodes[0], 3ms});
  ring.w.advance(300ms);
  CHECK_EQ(ring.count("deadlock: Node(/a) -> Node(/b) -> Node(/a)"), 1);
  CHECK_EQ(ring.count("answered"), 1);
}

TEST_CASE("longer cycles are found too, also where they close late") {
  for (const bool apart : {false, true}) {
    test::explore({.schedules = 20}, [&](test::Seed seed) {
      Circle ring{apart, seed};
      for (std::size_t i = 0; i < 4; ++i) {
        ring.nodes[i].tell(Go{ring.nodes[(i + 1) % 4], Duration{seed.number % 20 * i * 1'000'000}});
      }
      ring.w.advance(1s);
      CHECK_EQ(ring.log->size(), 4);
      CHECK_EQ(ring.deadlocks(), 1);
      CHECK_EQ(ring.count("answered"), 3);
    });
  }
}

TEST_CASE("a call back to an actor that waits for its caller fails there, and the caller can still answer") {
  for (const bool apart : {false, true}) {
    Circle ring{apart};
    ring.nodes[0].tell(Around{ring.nodes[1], ring.nodes[0]});
    ring.w.advance(300ms);
    REQUIRE_EQ(ring.log->size(), 1);
    CHECK_EQ(ring.log->front(), "deadlock: Node(/b) -> Node(/a) -> Node(/b)");
  }
}

TEST_CASE("who asks into a cycle from outside is not told of it, but answered when it is broken") {
  Circle ring{true};
  ring.nodes[0].tell(Go{ring.nodes[1]});
  ring.nodes[1].tell(Go{ring.nodes[0]});
  ring.w.run_until_idle();
  CHECK_EQ(ring.w.block_on(ring.nodes[0].ask(Ping{})).value(), 1);
  CHECK_EQ(ring.deadlocks(), 1);
}

TEST_CASE("a cycle through parked messages is found") {
  Circle ring{false, 1, {.capacity = 1, .overflow = Overflow::block, .block_for = 1h}};
  const auto& [a, b] = std::pair{ring.nodes[0], ring.nodes[1]};
  b.tell(Go{a, 5ms});
  ring.w.run_until_idle();
  b.tell(Note{});  // fills it
  a.tell(Tell{b});
  ring.w.advance(300ms);  // a is held by what it told b, b by its ask of a
  CHECK_EQ(*ring.log, std::vector<std::string>{"deadlock: Node(/b) -> Node(/a) -> Node(/b)"});
  CHECK_EQ(ring.w.block_on(a.ask(Ping{})).value(), 1);
}

TEST_CASE("a cycle through a send that waits for room is found") {
  for (const bool apart : {false, true}) {
    Circle ring{apart, 1, {.capacity = 1}};
    const auto& [a, b] = std::pair{ring.nodes[0], ring.nodes[1]};
    b.tell(Go{a, 5ms});
    ring.w.run_until_idle();
    b.tell(Note{});
    ring.w.run_until_idle();
    a.tell(Send{b});
    ring.w.advance(300ms);
    CHECK_EQ(ring.deadlocks(), 1);
    CHECK_EQ(ring.count("sent"), 1);
  }
}

TEST_CASE("an actor that interleaves holds nobody, and a long wait is no deadlock") {
  for (const bool apart : {false, true}) {
    Circle ring{apart};
    auto open = ring.w.spawn<Open>({.name = "open", .core = 0}, ring.log);
    open.tell(Go{ring.nodes[1]});
    ring.nodes[1].tell(Go{open});
    ring.w.advance(300ms);
    CHECK_EQ(ring.count("answered"), 2);
    CHECK_EQ(ring.w.block_on(ring.nodes[0].ask(Nap{10s}, {.within = 1min})).value(), 1);
    ring.nodes[2].tell(Go{ring.nodes[0]});
    ring.nodes[0].tell(Go{ring.nodes[1], 10s});
    ring.w.advance(1min);
    CHECK_EQ(ring.count("answered"), 4);
    CHECK_EQ(ring.deadlocks(), 0);
  }
}

namespace {

struct Visit {
  int id;
  int depth;
  using reply = int;
};

/// Lets nothing in while it asks a random friend, which asks one in turn.
class Walker {
 public:
  explicit Walker(WalkTallyPtr tally) : tally_(std::move(tally)) {}
  void handle(WalkFriends<Walker> m) { friends_ = std::move(m); }
  Task<int> handle(Visit m, Context& ctx) {
    tally_->enter(m.id);
    co_await go_on(m.depth, ctx);
    co_return m.id;
  }
  Task<void> handle(BeginWalk m, Context& ctx) { co_await go_on(m.depth, ctx); }

 private:
  Task<void> go_on(int depth, Context& ctx) {
    co_await dawdle(ctx);
    if (depth == 0 || friends_.none()) co_return;
    const auto whom = friends_.draw(ctx);
    auto tally = tally_;
    const int id = tally->begin();
    auto answer = co_await whom.ask(Visit{id, depth - 1}, {.within = 1h});
    tally->answered(id, answer);
  }
  WalkTallyPtr tally_;
  WalkFriends<Walker> friends_;
};

WalkTallyPtr walk_of(test::Seed seed, bool may_cycle) {
  auto tally = std::make_shared<WalkTally>();
  test::World w{seed, {.cores = 1 + static_cast<int>(seed.number % 4)}};
  base::SeededRandom random{seed.number + 1000};
  const auto walkers = spawn_walkers<Walker>(w, random, 8, may_cycle, tally);
  walk(w, random, walkers, 1min);
  return tally;
}

}  // namespace

TEST_CASE("among actors that ask each other at random, every deadlock is found, and every one found is true") {
  int found = 0;
  test::explore(
      {.schedules = 60},
      [&](test::Seed seed) {
        auto tally = walk_of(seed, true);
        CHECK_GT(tally->begun, 10);
        CHECK_EQ(tally->whole + tally->deadlocked, tally->begun);  // within a minute, of an hour that they may take
        CHECK_EQ(tally->lies, 0);
        found += tally->deadlocked;
      },
      [&] { CHECK_GT(found, 120); });
}

TEST_CASE("where no cycle is possible none is found, however long they wait") {
  test::explore({.schedules = 60}, [&](test::Seed seed) {
    auto tally = walk_of(seed, false);
    CHECK_GT(tally->begun, 10);
    CHECK_EQ(tally->whole, tally->begun);
  });
}
