// Withdrawal from another core: whoever passed an ask on, and wherever it is by then, what nobody waits for ends there.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

struct Work {
  int id;
  Duration takes{};
  using reply = int;
};
struct Break {};
using Door = Ref<Protocol<Work>>;

/// What became of each ask, under one thread.
struct Ledger {
  std::map<int, Instant> begun;
  std::map<int, int> times_begun;
  std::map<int, Instant> gone;  // when its asker stopped waiting
  std::map<int, int> outcomes;
  std::map<int, Outcome> failed;
  int frames = 0;
};
using Book = std::shared_ptr<Ledger>;

/// Works as long as it is told to; never ends a work of an hour unless it is ended.
class Worker {
 public:
  static constexpr bool migrates = true;
  explicit Worker(Book book) : book_(std::move(book)) {}
  Worker(const std::string&, Book book) : book_(std::move(book)) {}

  Task<int> handle(Work m, Context& ctx) {
    struct Frame {
      explicit Frame(Book its_book) : book(std::move(its_book)) { ++book->frames; }
      ~Frame() { --book->frames; }
      Book book;
    } frame{book_};
    book_->begun[m.id] = ctx.now();
    ++book_->times_begun[m.id];
    if (m.takes > Duration::zero()) co_await ctx.sleep(m.takes);
    co_return m.id;
  }
  void handle(Break) { throw std::runtime_error("broken"); }

 private:
  Book book_;
};

/// Lets another answer for it: at once, after a while, or after a while that it does not let itself be ended in.
enum class Manner { at_once, after_a_while, shielded };
template <Manner manner>
class Agent {
 public:
  explicit Agent(Door to) : to_(to) {}
  Delegated<int> handle(Work m)
    requires(manner == Manner::at_once)
  {
    return to_.delegate(m);
  }
  Task<Delegated<int>> handle(Work m, Context& ctx)
    requires(manner != Manner::at_once)
  {
    std::optional<Shield> shield;
    if (manner == Manner::shielded) shield.emplace(ctx.shield());
    co_await ctx.sleep(10ms);
    co_return to_.delegate(m);
  }
  void handle(Break, Context& ctx) { ctx.stop(); }

 private:
  Door to_;
};

struct Go {
  int id;
  Duration takes;
  Duration within;
};

/// Asks through one door, of an actor or of an entity, and may die of `Break` meanwhile.
class Client {
 public:
  static constexpr bool interleaves = true;
  Client(Book book, Door door, ShardRef<Worker> entity)
      : book_(std::move(book)), door_(door), entity_(std::move(entity)) {}

  Task<void> handle(Go m) {
    struct Waits {
      ~Waits() { book->gone[id] = Core::current()->now(); }
      Book book;
      int id;
    } waits{book_, m.id};
    if (entity_) {
      auto answer = co_await entity_.ask(Work{m.id, m.takes}, {.within = m.within});
      note(m.id, answer);
    } else {
      auto answer = co_await door_.ask(Work{m.id, m.takes}, {.within = m.within});
      note(m.id, answer);
    }
  }
  void handle(Break) { throw std::runtime_error("the client fails"); }

 private:
  template <class A>
  void note(int id, const A& answer) {
    ++book_->outcomes[id];
    if (!answer) book_->failed[id] = answer.error().outcome;
  }
  Book book_;
  Door door_;
  ShardRef<Worker> entity_;
};

enum class Shape { directly, pool, lazy, delegated, delegated_late, shards, through_all };
constexpr Shape shapes[] = {Shape::directly,       Shape::pool,   Shape::lazy,       Shape::delegated,
                            Shape::delegated_late, Shape::shards, Shape::through_all};

/// A client on core 0, and a worker behind a door on core 1: there, or on core 2, or back on core 0.
struct Scene {
  Scene(Shape its_shape, int worker_core, int client_core = 0, test::Seed seed = 1)
      : w(seed, {.cores = 3}), shape(its_shape) {
    Shards<Worker> entities{w, {.count = 16}, book};
    worker = w.spawn<Worker>({.name = "worker", .core = worker_core}, book);
    Door door = worker;
    ShardRef<Worker> entity;
    if (shape == Shape::pool) door = pool<Worker>(w, {.name = "pool", .size = 1, .core = worker_core}, book);
    if (shape == Shape::lazy) door = lazy<Worker>(w, "lazy", {.core = worker_core}, book);
    if (shape == Shape::delegated) door = w.spawn<Agent<Manner::at_once>>({.core = 1}, door);
    if (shape == Shape::delegated_late) door = w.spawn<Agent<Manner::after_a_while>>({.core = 1}, door);
    if (shape == Shape::shards) entity = entities.ref(key_on(entities, worker_core));
    if (shape == Shape::through_all) {
      door = lazy<Worker>(w, "lazy", {.core = worker_core}, book);
      for (int i = 0; i < 4; ++i) door = w.spawn<Agent<Manner::at_once>>({.core = (worker_core + i) % 3}, door);
    }
    client = w.spawn<Client>({.name = "client", .core = client_core}, book, door, entity);
    other = w.spawn<Client>({.name = "other", .core = client_core}, book, door, entity);
    w.run_until_idle();
  }
  static std::string key_on(const Shards<Worker>& entities, int core) {
    for (int i = 0;; ++i) {
      std::string key = "key-" + std::to_string(i);
      if (static_cast<int>(entities.shard_of(key) % 3) == core) return key;
    }
  }
  std::uint64_t dropped(Drop reason) {
    std::uint64_t sum = 0;
    for (const auto& figures : figures_of(w.system())) {
      if (figures.type == "Worker") sum += figures.dropped[static_cast<std::size_t>(reason)];
    }
    return sum;
  }

  Book book = std::make_shared<Ledger>();
  test::World w;
  Shape shape;
  Ref<Worker> worker;
  Ref<Client> client, other;
};

enum class End { deadline, restart, stop };
constexpr End ends[] = {End::deadline, End::restart, End::stop};
Duration patience(End how) { return how == End::deadline ? Duration{100ms} : Duration{1min}; }

void end_client(Scene& scene, End how) {
  if (how == End::restart) scene.client.tell(Break{});
  if (how == End::stop) lifecycle::request_stop(nullptr, scene.client.address());
  scene.w.advance(how == End::deadline ? 100ms : 1ms);
}

template <class F>
void for_all(F check) {
  for (const Shape shape : shapes) {
    for (int worker_core = 0; worker_core < 3; ++worker_core) {
      for (const End how : ends) {
        CAPTURE(static_cast<int>(shape));
        CAPTURE(worker_core);
        CAPTURE(static_cast<int>(how));
        check(shape, worker_core, how);
      }
    }
  }
}

}  // namespace

TEST_CASE("a handler whose asker gives up or dies on another core ends where it waits, whoever passed the ask on") {
  for_all([](Shape shape, int worker_core, End how) {
    Scene scene{shape, worker_core};
    scene.client.tell(Go{1, 1h, patience(how)});
    scene.w.advance(50ms);
    CHECK_EQ(scene.book->frames, 1);
    end_client(scene, how);
    CHECK_EQ(scene.book->frames, 0);
    scene.other.tell(Go{2, 0ms, 1s});
    scene.w.advance(50ms);
    CHECK_EQ(scene.book->outcomes[2], 1);
    CHECK_FALSE(scene.book->failed.contains(2));
  });
}

TEST_CASE("a request whose asker has gone on another core is never begun, and is out of the queue at once") {
  for_all([](Shape shape, int worker_core, End how) {
    Scene scene{shape, worker_core};
    scene.other.tell(Go{1, 1min, 1h});
    scene.w.advance(20ms);
    scene.client.tell(Go{2, 0ms, patience(how)});
    scene.w.advance(50ms);
    CHECK_EQ(scene.dropped(Drop::unwanted) + scene.dropped(Drop::expired), 0);
    end_client(scene, how);
    CHECK_EQ(scene.dropped(how == End::deadline ? Drop::expired : Drop::unwanted), 1);
    scene.w.advance(2min);
    CHECK(scene.book->begun.contains(1));
    CHECK_FALSE(scene.book->begun.contains(2));
  });
}

TEST_CASE("a duty that is handed on after its asker has gone is not begun") {
  for (int client_core = 0; client_core < 2; ++client_core) {
    for (int worker_core = 0; worker_core < 3; ++worker_core) {
      Scene scene{Shape::directly, worker_core};
      auto agent = scene.w.spawn<Agent<Manner::shielded>>({.core = 1}, scene.worker);
      auto client = scene.w.spawn<Client>({.core = client_core}, scene.book, agent, ShardRef<Worker>{});
      client.tell(Go{1, 1h, 1min});
      scene.w.advance(5ms);
      client.tell(Break{});
      scene.w.advance(1s);
      CHECK_FALSE(scene.book->begun.contains(1));
      CHECK_EQ(scene.dropped(Drop::unwanted), 1);
    }
  }
}

TEST_CASE("a withdrawal finds its way past actors that have ended since they passed the ask on") {
  for (int worker_core = 0; worker_core < 3; ++worker_core) {
    Scene scene{Shape::directly, worker_core};
    auto agent = scene.w.spawn<Agent<Manner::at_once>>({.core = 1}, scene.worker);
    auto client = scene.w.spawn<Client>({.core = 0}, scene.book, agent, ShardRef<Worker>{});
    client.tell(Go{1, 1h, 100ms});
    scene.w.advance(10ms);
    REQUIRE_EQ(scene.book->frames, 1);
    agent.tell(Break{});
    scene.w.advance(10ms);
    scene.w.spawn<Agent<Manner::at_once>>({.core = 1}, scene.worker);  // it has the same place
    scene.w.advance(100ms);
    CHECK_EQ(scene.book->frames, 0);
  }
}

TEST_CASE("what is held by a pool that starts again is not passed on once its asker has gone") {
  for (int client_core = 0; client_core < 2; ++client_core) {
    for (const bool goes : {true, false}) {
      Book book = std::make_shared<Ledger>();
      test::World w{1, {.cores = 2, .supervision = {.backoff = {.min = 1s, .max = 1s}}}};
      auto workers = pool<Worker>(
          w,
          {.size = 1, .core = 1, .supervision = {.decide = [](const std::exception_ptr&) { return Directive::stop; }}},
          book);
      auto client = w.spawn<Client>({.core = client_core}, book, Door{workers}, ShardRef<Worker>{});
      w.run_until_idle();
      workers.tell(Break{});
      w.advance(10ms);
      client.tell(Go{1, 0ms, 1min});
      w.advance(10ms);
      CHECK_FALSE(book->begun.contains(1));
      if (goes) lifecycle::request_stop(nullptr, client.address());
      w.advance(30s);
      CHECK_EQ(book->begun.contains(1), !goes);
    }
  }
}

TEST_CASE("what waits at its own core for room on another is not sent once its asker has gone") {
  for (const Shape shape : {Shape::directly, Shape::delegated}) {
    for (const bool goes : {true, false}) {
      Book book = std::make_shared<Ledger>();
      test::World w{1, {.cores = 3}};
      auto worker =
          w.spawn<Worker>({.core = 2, .mailbox = {.capacity = 1, .overflow = Overflow::block, .block_for = 1h}}, book);
      Door door = worker;
      if (shape == Shape::delegated) door = w.spawn<Agent<Manner::at_once>>({.core = 1}, door);
      auto other = w.spawn<Client>({.core = 2}, book, Door{worker}, ShardRef<Worker>{});
      auto client = w.spawn<Client>({.core = 0}, book, door, ShardRef<Worker>{});
      w.run_until_idle();
      for (int id = 1; id <= 2; ++id) {
        other.tell(Go{id, 10s, 1h});
        w.run_until_idle();
      }
      client.tell(Go{3, 0ms, 1h});
      w.advance(1s);
      CHECK_EQ(worker.address().cell->depth, 1);  // the third has no place yet
      if (goes) lifecycle::request_stop(nullptr, client.address());
      w.advance(1min);
      CHECK(book->begun.contains(2));
      CHECK_EQ(book->begun.contains(3), !goes);
    }
  }
}

TEST_CASE("an ask from another core that moved with its actor is withdrawn where it is now") {
  for (int client_core = 0; client_core < 3; ++client_core) {
    for (const End how : ends) {
      Book book = std::make_shared<Ledger>();
      test::World w{1, {.cores = 3}};
      Shards<Worker> entities{w, {.count = 16}, book};
      const std::string key = Scene::key_on(entities, 1);
      auto client = w.spawn<Client>({.core = client_core}, book, Door{}, entities.ref(key));
      auto other = w.spawn<Client>({.core = client_core}, book, Door{}, entities.ref(key));
      w.run_until_idle();
      other.tell(Go{1, 20ms, 1min});  // what the move waits for
      w.run_until_idle();
      client.tell(Go{2, 1h, patience(how)});
      w.run_until_idle();
      client.tell(Go{3, 0ms, patience(how)});
      w.run_until_idle();
      REQUIRE(w.block_on(entities.move(entities.shard_of(key), 2)).has_value());
      w.advance(50ms);
      CHECK_EQ(book->frames, 1);
      if (how == End::restart) client.tell(Break{});
      if (how == End::stop) lifecycle::request_stop(nullptr, client.address());
      w.advance(100ms);
      CHECK_EQ(book->frames, 0);
      w.advance(1min);
      CHECK_FALSE(book->begun.contains(3));
      CHECK_EQ(book->begun.size(), 2);
    }
  }
}

TEST_CASE("asks that are withdrawn leave nothing behind, however many there were") {
  for (const Shape shape : shapes) {
    CAPTURE(static_cast<int>(shape));
    Scene scene{shape, 1};
    for (int round = 0; round < 300; ++round) {
      for (int i = 0; i < 4; ++i) scene.client.tell(Go{round * 4 + i, 1h, 1ms + 1ms * i});
      scene.w.advance(8ms);
    }
    scene.w.advance(100ms);
    CHECK_EQ(scene.book->frames, 0);
    CHECK_EQ(scene.book->outcomes.size(), 1200);
    for (std::size_t core = 0; core < 3; ++core) {
      CHECK_LT(scene.w.core(core).ask_slots(), 40);
      CHECK_LT(scene.w.core(core).trail().size(), 80);
    }
  }
}

namespace {

struct Shuffle {
  int rounds;
};
/// Moves shards at random.
struct Mover {
  Shards<Worker> entities;
  Task<void> handle(Shuffle m, Context& ctx) {
    for (int i = 0; i < m.rounds; ++i) {
      const auto shard = static_cast<std::uint32_t>(ctx.random().below(entities.count()));
      auto done = co_await entities.move(shard, static_cast<int>(ctx.random().below(3)));
      (void)done;
      co_await ctx.sleep(3ms);
    }
  }
};

/// A crowd of clients behind every kind of door, on three cores.
struct Crowd {
  explicit Crowd(test::World& world, base::Random& its_random) : w(world), random(its_random) {
    Shards<Worker> entities{w, {.count = 4, .passivate_after = 20ms, .move_within = 5ms}, book};
    w.spawn<Mover>({.core = 1}, entities).tell(Shuffle{60});
    std::vector<Door> doors;
    for (int core = 0; core < 3; ++core) {
      doors.push_back(w.spawn<Worker>(options(core), book));
      pools.push_back(
          pool<Worker>(w, {.size = 3, .spread = Spread::over_cores, .core = core, .member = options(any_core)}, book));
      doors.push_back(pools.back());
      doors.push_back(lazy<Worker>(w, "lazy", {.passivate_after = 15ms, .core = core}, book));
    }
    for (int core = 0; core < 3; ++core) {
      for (int i = 0; i < 2; ++i) {
        const Door to = doors[random.below(doors.size())];
        doors.push_back(w.spawn<Agent<Manner::at_once>>({.core = core}, to));
        doors.push_back(w.spawn<Agent<Manner::after_a_while>>({.core = core}, to));
        doors.push_back(w.spawn<Agent<Manner::shielded>>({.core = core}, to));
      }
    }
    for (int i = 0; i < 18; ++i) {
      const bool sharded = i % 3 == 0;
      clients.push_back(
          w.spawn<Client>({.core = i % 3}, book, doors[random.below(doors.size())],
                          sharded ? entities.ref("key-" + std::to_string(random.below(6))) : ShardRef<Worker>{}));
    }
  }
  ActorOptions options(int core) {
    return {.core = core,
            .mailbox = {.capacity = 1 + static_cast<std::uint32_t>(random.below(6)),
                        .overflow = static_cast<Overflow>(random.below(4)),
                        .block_for = 30ms},
            .restart = Restart::permanent};
  }
  void round() {
    const auto client = clients[random.below(clients.size())];
    const Duration takes = random.below(3) == 0 ? Duration{1h} : Duration{1ms * random.below(10)};
    const Duration within = random.below(2) == 0 ? Duration{10s} : Duration{1ms * (1 + random.below(30))};
    client.tell(Go{++asked, takes, within});
    if (random.below(6) == 0) client.tell(Break{});
    if (random.below(12) == 0) pools[random.below(3)].tell(Break{});
    if (random.below(12) == 0) resize(pools[random.below(3)], 1 + static_cast<std::uint32_t>(random.below(4)));
    w.advance(Duration{500'000} * random.below(12));
  }

  Book book = std::make_shared<Ledger>();
  test::World& w;
  base::Random& random;
  std::vector<Ref<Worker>> pools;
  std::vector<Ref<Client>> clients;
  int asked = 0;
};

}  // namespace

TEST_CASE("whatever passes an ask on, and whoever dies, it has one outcome at most, and its work ends with its asker") {
  int begun = 0;
  int withdrawn = 0;
  test::explore(
      {.schedules = 80},
      [&](test::Seed seed) {
        const test::Faults faults = seed.number % 2 == 0 ? test::Faults{} : test::Faults{.ring_full = {3}};
        const Supervision lenient{.intensity = {.restarts = 100'000}, .backoff = {.min = 5ms, .max = 20ms}};
        test::World w{seed, {.cores = 3, .supervision = lenient, .faults = faults}};
        base::SeededRandom random{seed.number * 13};
        Crowd crowd{w, random};
        for (int i = 0; i < 150; ++i) crowd.round();
        w.advance(1min);  // no work of an hour outlives its asker
        const Ledger& book = *crowd.book;
        CHECK_EQ(book.frames, 0);
        for (const auto& [id, times] : book.outcomes) CHECK_EQ(times, 1);
        for (const auto& [id, times] : book.times_begun) CHECK_EQ(times, 1);
        for (const auto& [id, outcome] : book.failed) {
          if (outcome == Outcome::not_executed) CHECK_FALSE(book.begun.contains(id));
        }
        for (const auto& [id, when] : book.begun) {
          REQUIRE(book.gone.contains(id));
          if (seed.number % 2 == 0) CHECK_LE(when, book.gone.at(id));  // else the news may be late
          begun += 1;
          withdrawn += !book.outcomes.contains(id) || book.failed.contains(id);
        }
        for (std::size_t core = 0; core < 3; ++core) CHECK_LT(w.core(core).ask_slots(), 200);
      },
      [&] {
        CHECK_GT(begun, 1000);
        CHECK_GT(withdrawn, 300);
      });
}
