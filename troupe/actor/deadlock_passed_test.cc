// Deadlocks of asks that were passed on: by pools, lazy actors, shards and delegating actors, on whichever cores.
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
class Node;
struct Visit {
  Ref<Node> back;
  using reply = std::string;
};
struct Hold {
  Ref<Node> whom;
  Duration after{};
};
using Door = Ref<Protocol<Ping, Visit, Hold>>;
struct Call {
  Door door;
  ShardRef<Node> entity;
  bool visit;
  Ref<Node> self;
};

std::string words(const Failure<>& failure) {
  return (failure.safe_to_retry() ? "" : "not safe to retry: ") + failure.what;
}

/// Lets nothing in while it asks, and writes down how that ends.
class Node {
 public:
  static constexpr bool migrates = true;
  explicit Node(Log log) : log_(std::move(log)) {}
  Node(const std::string&, Log log) : log_(std::move(log)) {}

  int handle(Ping) { return 1; }
  /// Asks back.
  Task<std::string> handle(Visit m) {
    auto answer = co_await m.back.ask(Ping{}, {.within = 1h});
    co_return answer ? "answered" : words(answer.error());
  }
  Task<void> handle(Hold m) {
    co_await sleep(m.after);
    auto answer = co_await m.whom.ask(Ping{}, {.within = 1h});
    log_->push_back(answer ? "answered" : words(answer.error()));
  }
  Task<void> handle(Call m) {
    if (m.entity && m.visit) {
      auto answer = co_await m.entity.ask(Visit{m.self}, {.within = 1h});
      log_->push_back(answer ? *answer : words(answer.error()));
    } else if (m.visit) {
      auto answer = co_await m.door.ask(Visit{m.self}, {.within = 1h});
      log_->push_back(answer ? *answer : words(answer.error()));
    } else if (m.entity) {
      auto answer = co_await m.entity.ask(Ping{}, {.within = 1h});
      log_->push_back(answer ? "answered" : words(answer.error()));
    } else {
      auto answer = co_await m.door.ask(Ping{}, {.within = 1h});
      log_->push_back(answer ? "answered" : words(answer.error()));
    }
  }

 private:
  Log log_;
};

/// Lets another answer for it. What is only told it passes on as well.
struct Agent {
  Door to;
  Delegated<int> handle(Ping m) { return to.delegate(m); }
  Delegated<std::string> handle(Visit m) { return to.delegate(m); }
  void handle(Hold m) { to.tell(m); }
};

enum class Shape { directly, pool, lazy, delegated, shards, through_all };
constexpr Shape shapes[] = {Shape::directly,  Shape::pool,   Shape::lazy,
                            Shape::delegated, Shape::shards, Shape::through_all};

/// Node a on one core, and node b behind a door on another.
struct Scene {
  Scene(Shape shape, int core_a, int core_b, test::Seed seed = 1) : w(seed, {.cores = 3}) {
    a = w.spawn<Node>({.name = "a", .core = core_a}, log);
    entities = Shards<Node>{w, {.count = 16, .passivate_after = {}}, log};
    if (shape == Shape::directly) door = w.spawn<Node>({.name = "b", .core = core_b}, log);
    if (shape == Shape::pool) {
      door = pool<Node>(w, {.name = "b", .size = 1, .core = core_b}, log);
    }
    if (shape == Shape::lazy) door = lazy<Node>(w, "b", {.core = core_b}, log);
    if (shape == Shape::delegated) {
      door = w.spawn<Agent>({.core = 1}, Door{w.spawn<Node>({.name = "b", .core = core_b}, log)});
    }
    if (shape == Shape::shards) entity = entities.ref(key_on(core_b));
    if (shape == Shape::through_all) {
      door = lazy<Node>(w, "b", {.core = core_b}, log);
      for (int i = 0; i < 4; ++i) door = w.spawn<Agent>({.core = (core_b + i) % 3}, door);
    }
    w.run_until_idle();
  }
  std::string key_on(int core) const {
    for (int i = 0;; ++i) {
      std::string key = "b-" + std::to_string(i);
      if (static_cast<int>(entities.shard_of(key) % 3) == core) return key;
    }
  }
  void call(bool visit) { a.tell(Call{door, entity, visit, a}); }
  void hold(Duration after) {
    if (entity) entity.tell(Hold{a, after});
    if (!entity) door.tell(Hold{a, after});
  }
  std::ptrdiff_t count(std::string_view line) const { return std::ranges::count(*log, line); }
  std::string deadlock() const {
    const auto at = std::ranges::find_if(*log, [](const auto& line) { return line.starts_with("deadlock: "); });
    return at != log->end() ? *at : "none";
  }

  Log log = std::make_shared<std::vector<std::string>>();
  test::World w;
  Ref<Node> a;
  Shards<Node> entities;
  Door door;
  ShardRef<Node> entity;
};

/// Whether the path leads from b to a and back, whatever the tree calls them on each core.
bool is_round(const std::string& path, char from, char over) {
  const auto names = [](const std::string& text, char name) {
    std::size_t n = 0;
    for (std::size_t at = text.find("Node("); at != std::string::npos; at = text.find("Node(", at + 1)) {
      const std::string_view one = std::string_view{text}.substr(at, text.find(')', text.find('/', at)) - at);
      const bool is_a = one.ends_with("/a");
      n += name == 'a' ? is_a : !is_a;
    }
    return n;
  };
  return path.starts_with("deadlock: ") && names(path, from) == 2 && names(path, over) == 1;
}

template <class F>
void for_all(F check) {
  for (const Shape shape : shapes) {
    for (int core_a = 0; core_a < 3; ++core_a) {
      for (int core_b = 0; core_b < 3; ++core_b) {
        CAPTURE(static_cast<int>(shape));
        CAPTURE(core_a);
        CAPTURE(core_b);
        check(shape, core_a, core_b);
      }
    }
  }
}

}  // namespace

TEST_CASE("who asks back its asker is told the cycle, whoever passed the ask on") {
  for_all([](Shape shape, int core_a, int core_b) {
    Scene scene{shape, core_a, core_b};
    scene.call(true);
    scene.w.advance(300ms);
    REQUIRE_EQ(scene.log->size(), 1);
    CHECK_MESSAGE(is_round(scene.log->front(), 'b', 'a'), scene.log->front());
    CHECK_EQ(std::ranges::count(scene.w.reports(), scene.log->front()), 1);
    CHECK_EQ(scene.w.block_on(scene.a.ask(Ping{})).value(), 1);
  });
}

TEST_CASE("asks that cross are told the cycle, whoever passed them on: one fails, the other is answered") {
  for_all([](Shape shape, int core_a, int core_b) {
    Scene scene{shape, core_a, core_b};
    scene.hold(5ms);
    scene.w.run_until_idle();
    scene.call(false);
    scene.w.advance(400ms);
    CHECK_EQ(scene.log->size(), 2);
    CHECK_EQ(scene.count("answered"), 1);
    const std::string path = scene.deadlock();
    CHECK_MESSAGE((is_round(path, 'a', 'b') || is_round(path, 'b', 'a')), path);
  });
}

TEST_CASE("a deadlock with an entity that has moved meanwhile is found where it is now") {
  for (int core_a = 0; core_a < 3; ++core_a) {
    Scene scene{Shape::shards, core_a, 1};
    auto client = scene.w.spawn<Node>({.name = "client", .core = core_a}, scene.log);
    scene.entity.tell(Hold{client, 20ms});  // what the move waits for
    scene.call(true);                       // goes along
    scene.w.run_until_idle();
    REQUIRE(scene.w.block_on(scene.entities.move(scene.entities.shard_of(scene.entity.key()), 2)).has_value());
    scene.w.advance(400ms);
    CHECK_EQ(scene.count("answered"), 1);
    CHECK_MESSAGE(is_round(scene.deadlock(), 'b', 'a'), scene.deadlock());
  }
}

TEST_CASE("a long wait behind somebody who passes asks on is no deadlock") {
  for_all([](Shape shape, int core_a, int core_b) {
    Scene scene{shape, core_a, core_b};
    auto third = scene.w.spawn<Node>({.name = "third", .core = core_b}, scene.log);
    if (scene.entity) scene.entity.tell(Hold{third, 10s});
    if (!scene.entity) scene.door.tell(Hold{third, 10s});
    scene.w.run_until_idle();
    scene.call(true);
    scene.w.advance(5s);
    CHECK(scene.log->empty());
    CHECK(scene.w.reports().empty());
    scene.w.advance(30s);  // then it is one
    CHECK_EQ(scene.count("answered"), 1);
    CHECK_MESSAGE(is_round(scene.deadlock(), 'b', 'a'), scene.deadlock());
  });
}

namespace {

struct Stroll {
  int id;
  int depth;
  using reply = int;
};
struct Crowd;
using Party = Ref<Protocol<Stroll>>;

/// Lets nothing in while it asks a random one of the crowd, which asks one in turn.
class Walker {
 public:
  static constexpr bool migrates = true;
  explicit Walker(std::shared_ptr<Crowd> crowd) : crowd_(std::move(crowd)) {}
  Walker(const std::string&, std::shared_ptr<Crowd> crowd) : crowd_(std::move(crowd)) {}
  Task<int> handle(Stroll m, Context& ctx);
  Task<void> handle(BeginWalk m, Context& ctx);

 private:
  static Task<void> go_on(std::shared_ptr<Crowd> crowd, int depth, Context& ctx);
  std::shared_ptr<Crowd> crowd_;
};
struct Passer {
  Party to;
  Delegated<int> handle(Stroll m) { return to.delegate(m); }
};
struct Crowd {
  std::vector<Party> doors;
  Shards<Walker> entities;
  WalkTally tally;
};

Task<int> Walker::handle(Stroll m, Context& ctx) {
  crowd_->tally.enter(m.id);
  co_await go_on(crowd_, m.depth, ctx);
  co_return m.id;
}
Task<void> Walker::handle(BeginWalk m, Context& ctx) { co_await go_on(crowd_, m.depth, ctx); }

Task<void> Walker::go_on(std::shared_ptr<Crowd> crowd, int depth, Context& ctx) {
  co_await dawdle(ctx);
  if (depth == 0) co_return;
  const auto choice = ctx.random().below(crowd->doors.size() + 3);
  const int id = crowd->tally.begin();
  if (choice < crowd->doors.size()) {
    auto answer = co_await crowd->doors[choice].ask(Stroll{id, depth - 1}, {.within = 1h});
    crowd->tally.answered(id, answer);
  } else {
    auto answer = co_await crowd->entities.ref(std::to_string(choice)).ask(Stroll{id, depth - 1}, {.within = 1h});
    crowd->tally.answered(id, answer);
  }
}

void stroll(test::Seed seed, WalkTally& sum) {
  auto crowd = std::make_shared<Crowd>();
  {
    const int cores = 1 + static_cast<int>(seed.number % 3);
    test::World w{seed, {.cores = cores}};
    base::SeededRandom random{seed.number + 1000};
    const auto any = [&] { return static_cast<int>(random.below(static_cast<std::uint64_t>(cores))); };
    crowd->entities = Shards<Walker>{w, {.count = 8}, crowd};
    std::vector<Ref<Walker>> walkers;
    for (int i = 0; i < 3; ++i) walkers.push_back(w.spawn<Walker>({.core = any()}, crowd));
    for (const auto walker : walkers) crowd->doors.push_back(walker);
    for (int i = 0; i < 2; ++i) {
      crowd->doors.push_back(pool<Walker>(w, {.size = 2, .spread = Spread::over_cores, .core = any()}, crowd));
    }
    crowd->doors.push_back(lazy<Walker>(w, "lazy", {.core = any()}, crowd));
    for (int i = 0; i < 3; ++i) {
      crowd->doors.push_back(w.spawn<Passer>({.core = any()}, crowd->doors[random.below(crowd->doors.size())]));
    }
    w.run_until_idle();
    walk(w, random, walkers, 1min);
    const WalkTally& tally = crowd->tally;
    CHECK_GT(tally.begun, 10);
    CHECK_EQ(tally.whole + tally.deadlocked, tally.begun);  // within a minute, of an hour that they may take
    CHECK_EQ(tally.lies, 0);
    sum.deadlocked += tally.deadlocked;
    sum.whole += tally.whole;
    crowd->doors.clear();
    crowd->entities = {};
  }
}

}  // namespace

TEST_CASE("of asks that are passed on at random, every deadlock is found, and every one found is true") {
  WalkTally sum;
  test::explore(
      {.schedules = 60}, [&](test::Seed seed) { stroll(seed, sum); },
      [&] {
        CHECK_GT(sum.deadlocked, 120);
        CHECK_GT(sum.whole, 500);
      });
}
