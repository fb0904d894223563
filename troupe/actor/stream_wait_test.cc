// Waiting for a stream's next item: it has an end in time, and where it is a part of a deadlock it says so.
#include <doctest/doctest.h>

#include <algorithm>

#include "troupe/actor/runtime/asking.h"
#include "troupe/actor/sim/explore.h"
#include "troupe/actor/testing/random_walk.h"

using namespace troupe::actor;
using namespace troupe::actor::testing;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

using Log = std::shared_ptr<std::vector<std::string>>;

class Node;
/// Yields so many numbers, each after a pause, and asks `whom` after each, if there is one.
struct Numbers {
  int to = 3;
  Duration pause{};
  Ref<Node> whom{};
  using item = int;
};
/// Yields what comes from the stream that the node has opened.
struct Echo {
  using item = int;
};
struct Read {
  Ref<Node> from;
  Numbers what;
  StreamOptions options{};
};
struct ReadEcho {
  Ref<Node> from;
};
/// Yields a number after a pause, and then asks `whom` to ask `back`.
struct OneAndAsk {
  Duration pause{};
  Ref<Node> whom{};
  Ref<Node> back{};
  using item = int;
};
/// Reads one number, and leaves the rest for later.
struct ReadOne {
  Ref<Node> from;
  OneAndAsk what;
};
struct AskBack {
  Ref<Node> whom;
  using reply = int;
};
struct Open {
  Ref<Node> from;
};
struct Ping {
  using reply = int;
};
struct Call {
  Ref<Node> whom;
};

std::string words(Outcome outcome, const std::string& what) {
  return (outcome == Outcome::not_executed ? "" : "not safe to retry: ") + what;
}

/// Lets nothing in while it reads, and writes down how that ends.
class Node {
 public:
  explicit Node(Log log) : log_(std::move(log)) {}

  Stream<int> handle(Numbers m) {
    for (int i = 0; i < m.to; ++i) {
      if (m.pause > Duration::zero()) co_await sleep(m.pause);
      if (m.whom) {
        auto answer = co_await m.whom.ask(Ping{}, {.within = 1h});
        log_->push_back(answer ? "answered" : words(answer.error().outcome, answer.error().what));
      }
      co_yield i;
    }
  }
  Stream<int> handle(Echo) {
    for (;;) {
      auto next = co_await opened_.next();
      if (next.failure() != nullptr) {
        log_->push_back(words(next.failure()->outcome, next.failure()->what));
        co_return;
      }
      if (!next) co_return;
      co_yield *next;
    }
  }
  Task<void> handle(Read m) {
    auto reader = m.from.stream(m.what, m.options);
    co_await read(std::move(reader));
  }
  Task<void> handle(ReadEcho m) {
    auto reader = m.from.stream(Echo{}, {.idle_max = as_long_as_it_takes});
    co_await read(std::move(reader));
  }
  Stream<int> handle(OneAndAsk m) {
    co_await sleep(m.pause);
    co_yield 0;
    auto answer = co_await m.whom.ask(AskBack{m.back}, {.within = 1h});
    log_->push_back(answer ? "answered" : words(answer.error().outcome, answer.error().what));
  }
  Task<void> handle(ReadOne m) {
    opened_ = m.from.stream(m.what, {.credit = 4, .idle_max = 1h});
    auto next = co_await opened_.next();
    log_->push_back(next ? "read one" : "read none");
  }
  Task<int> handle(AskBack m) {
    auto answer = co_await m.whom.ask(Ping{}, {.within = 1h});
    log_->push_back(answer ? "answered" : words(answer.error().outcome, answer.error().what));
    co_return 1;
  }
  void handle(Open m) { opened_ = m.from.stream(Echo{}, {.idle_max = as_long_as_it_takes}); }
  int handle(Ping) { return 1; }
  Task<void> handle(Call m) {
    auto answer = co_await m.whom.ask(Ping{}, {.within = 1h});
    log_->push_back(answer ? "answered" : words(answer.error().outcome, answer.error().what));
  }

 private:
  Task<void> read(StreamReader<int> reader) {
    Log log = log_;
    for (int n = 0;; ++n) {
      auto next = co_await reader.next();
      if (next.failure() != nullptr) {
        log->push_back(words(next.failure()->outcome, next.failure()->what));
        co_return;
      }
      if (next) continue;
      log->push_back("read " + std::to_string(n));
      co_return;
    }
  }
  Log log_;
  StreamReader<int> opened_;
};

/// Two nodes, on one core or two.
struct Pair {
  explicit Pair(bool apart, test::Seed seed = 1) : w(seed, {.cores = 2}) {
    a = w.spawn<Node>({.name = "a", .core = 0}, log);
    b = w.spawn<Node>({.name = "b", .core = apart ? 1 : 0}, log);
    w.run_until_idle();
  }
  std::ptrdiff_t count(std::string_view line) const { return std::ranges::count(*log, line); }
  std::ptrdiff_t deadlocks() const {
    return std::ranges::count_if(*log, [](const auto& line) { return line.starts_with("deadlock: "); });
  }
  Log log = std::make_shared<std::vector<std::string>>();
  test::World w;
  Ref<Node> a, b;
};

}  // namespace

TEST_CASE("who reads its own stream is told of the deadlock at once") {
  Pair pair{false};
  pair.a.tell(Read{pair.a, {}});
  pair.w.advance(110ms);
  CHECK_EQ(*pair.log, std::vector<std::string>{"deadlock: Node(/a) -> Node(/a)"});
  CHECK_EQ(pair.w.reports(), *pair.log);
  CHECK_EQ(pair.w.block_on(pair.a.ask(Ping{})).value(), 1);
}

TEST_CASE("two that read each other's streams are told the cycle: one fails, the other reads to the end") {
  for (const bool apart : {false, true}) {
    test::explore({.schedules = 20}, [&](test::Seed seed) {
      Pair pair{apart, seed};
      pair.a.tell(Read{pair.b, {}});
      pair.b.tell(Read{pair.a, {}});
      pair.w.advance(400ms);
      CHECK_EQ(pair.log->size(), 2);
      CHECK_EQ(pair.deadlocks(), 1);
      CHECK_EQ(pair.count("read 3"), 1);
    });
  }
}

TEST_CASE("a stream and an ask that wait for each other are told the cycle") {
  for (const bool apart : {false, true}) {
    test::explore({.schedules = 20}, [&](test::Seed seed) {
      Pair pair{apart, seed};
      pair.a.tell(Read{pair.b, {}});
      pair.b.tell(Call{pair.a});
      pair.w.advance(400ms);
      CHECK_EQ(pair.log->size(), 2);
      CHECK_EQ(pair.deadlocks(), 1);
    });
  }
}

TEST_CASE("a source that asks its reader back is told the cycle, and the reader gets its items") {
  for (const bool apart : {false, true}) {
    for (const std::uint32_t credit : {1u, 2u, 64u}) {
      Pair pair{apart};
      pair.a.tell(Read{pair.b, {.to = 2, .whom = pair.a}, {.credit = credit}});
      pair.w.advance(2s);
      CHECK_EQ(pair.deadlocks(), 2);  // each time it asks
      CHECK_EQ(pair.count("read 2"), 1);
      CHECK_EQ(pair.log->size(), 3);
    }
  }
}

TEST_CASE("a stream that its own actor holds up is a part of the cycle") {
  for (const bool apart : {false, true}) {
    Pair pair{apart};
    pair.a.tell(Read{pair.b, {.to = 100}, {.credit = 1}});  // b waits for credit again and again
    pair.b.tell(Call{pair.a});                              // and is held by this as soon as it does
    pair.w.advance(400ms);
    CHECK_EQ(pair.deadlocks() + pair.count("answered"), 1);
    CHECK_EQ(pair.count("read 100"), 1);
  }
}

TEST_CASE("where streams that have all begun wait for each other, one breaks with the path") {
  for (const bool apart : {false, true}) {
    Pair pair{apart};
    pair.a.tell(Open{pair.b});
    pair.b.tell(Open{pair.a});
    pair.w.advance(1s);
    REQUIRE_EQ(pair.w.reports().size(), 1);
    CHECK(pair.w.reports().front().starts_with("deadlock: Node("));
    CHECK_EQ(pair.count("not safe to retry: " + pair.w.reports().front()), 1);
    CHECK_EQ(pair.w.block_on(pair.a.ask(Ping{}, {.within = 1s})).value(), 1);
    CHECK_EQ(pair.w.block_on(pair.b.ask(Ping{}, {.within = 1s})).value(), 1);
  }
}

TEST_CASE("a stream that is slow, or whose source waits for another, is no deadlock") {
  for (const bool apart : {false, true}) {
    Pair pair{apart};
    auto third = pair.w.spawn<Node>({.name = "third", .core = 1}, pair.log);
    pair.a.tell(Read{pair.b, {.to = 5, .pause = 20s}});
    pair.b.tell(Call{third});
    pair.w.advance(5min);
    CHECK_EQ(pair.count("read 5"), 1);
    CHECK_EQ(pair.count("answered"), 1);
    CHECK(pair.w.reports().empty());
  }
}

TEST_CASE("an item that is under way when somebody looks ends the wait, so that is no deadlock") {
  test::explore({.schedules = 400}, [](test::Seed seed) {
    auto log = std::make_shared<std::vector<std::string>>();
    test::World w{seed, {.cores = 3, .faults = {.ring_full = {2}}}};
    const auto reader = w.spawn<Node>({.name = "reader", .core = 0}, log);
    const auto source = w.spawn<Node>({.name = "source", .core = 1}, log);
    const auto third = w.spawn<Node>({.name = "third", .core = 2}, log);
    w.run_until_idle();
    // The item leaves at about the moment at which the reader looks, and what is asked because of it may overtake it.
    const Duration before = std::chrono::microseconds{seed.number % 100};
    reader.tell(ReadOne{source, {asking::probe_first - before, third, reader}});
    w.advance(1min);
    CHECK_EQ(std::ranges::count(*log, "read one"), 1);
    CHECK_EQ(std::ranges::count(*log, "answered"), 2);
    CHECK(w.reports().empty());
  });
}

TEST_CASE("a wait for an item ends after a minute unless it is told otherwise") {
  struct Row {
    StreamOptions options;
    Duration pause;
    const char* end;
  };
  const Row rows[] = {
      {{}, 59s, "read 2"},
      {{}, 61s, "not safe to retry: no answer in time"},
      {{.idle_max = 5s}, 6s, "not safe to retry: no answer in time"},
      {{.idle_max = 2h}, 1h, "read 2"},
      {{.idle_max = as_long_as_it_takes}, 300h, "read 2"},
  };
  for (const bool apart : {false, true}) {
    for (const Row& row : rows) {
      Pair pair{apart};
      pair.a.tell(Read{pair.b, {.to = 2, .pause = row.pause}, row.options});
      pair.w.advance(700h);
      CHECK_EQ(*pair.log, std::vector<std::string>{row.end});
      CHECK_EQ(pair.w.block_on(pair.b.ask(Ping{}, {.within = 1s})).value(), 1);
    }
  }
}

namespace {

struct Gather {
  int id;
  int depth;
  using item = int;
};

/// Lets nothing in while it reads a random friend's stream, whose source reads another's in turn.
class Walker {
 public:
  explicit Walker(WalkTallyPtr tally) : tally_(std::move(tally)) {}
  void handle(WalkFriends<Walker> m) { friends_ = std::move(m); }
  Stream<int> handle(Gather m, Context& ctx) {
    tally_->enter(m.id);
    co_yield 0;
    co_await go_on(m.depth, ctx);
    co_yield 1;
  }
  Task<void> handle(BeginWalk m, Context& ctx) { co_await go_on(m.depth, ctx); }

 private:
  Task<void> go_on(int depth, Context& ctx) {
    co_await dawdle(ctx);
    if (depth == 0 || friends_.none()) co_return;
    const auto whom = friends_.draw(ctx);
    auto tally = tally_;
    const int id = tally->begin();
    const auto credit = static_cast<std::uint32_t>(1 + ctx.random().below(3));
    auto reader = whom.stream(Gather{id, depth - 1}, {.credit = credit, .idle_max = 1h});
    for (;;) {
      auto next = co_await reader.next();
      if (const auto* failure = next.failure()) {
        // What is not executed was never begun; and only a stream that has begun may break.
        tally->failed(failure->what, tally->has_entered(id) == (failure->outcome == Outcome::not_executed));
        co_return;
      }
      if (!next) break;
    }
    ++tally->whole;
  }
  WalkTallyPtr tally_;
  WalkFriends<Walker> friends_;
};

WalkTallyPtr walk_of(test::Seed seed, bool may_cycle) {
  auto tally = std::make_shared<WalkTally>();
  const test::Faults faults = seed.number % 2 == 0 ? test::Faults{} : test::Faults{.ring_full = {2}};
  test::World w{seed, {.cores = 1 + static_cast<int>(seed.number % 3), .faults = faults}};
  base::SeededRandom random{seed.number + 1000};
  const auto walkers = spawn_walkers<Walker>(w, random, 6, may_cycle, tally);
  walk(w, random, walkers, 2min);
  return tally;
}

}  // namespace

TEST_CASE("among actors that read each other at random, every deadlock is found, and every one found is true") {
  int found = 0;
  test::explore(
      {.schedules = 60},
      [&](test::Seed seed) {
        auto tally = walk_of(seed, true);
        CHECK_GT(tally->begun, 10);
        CHECK_EQ(tally->whole + tally->deadlocked, tally->begun);  // in two minutes, of an hour that they may take
        CHECK_EQ(tally->lies, 0);
        found += tally->deadlocked;
      },
      [&] { CHECK_GT(found, 100); });
}

TEST_CASE("where no cycle of readers is possible none is found, however long they wait") {
  test::explore({.schedules = 60}, [&](test::Seed seed) {
    auto tally = walk_of(seed, false);
    CHECK_GT(tally->begun, 10);
    CHECK_EQ(tally->whole, tally->begun);
  });
}
