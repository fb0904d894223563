// Entities whose state lasts and that change their core: what was acknowledged goes along, and whoever is fenced is
// the one that stops.
#include <doctest/doctest.h>

#include <map>

#include "troupe/actor/persist/event_sourced.h"
#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

struct Marked {
  std::uint8_t bit = 0;
};
struct Marks {
  std::uint64_t bits = 0;
  std::uint64_t twice = 0;
};
struct Mark {
  std::uint8_t bit;
  using reply = std::uint64_t;
};
struct Look {
  using reply = std::uint64_t;
};
struct Where {
  using reply = int;
};
struct Trip {};

class Board : public EventSourced<Marks, Events<Marked>> {
 public:
  static constexpr bool migrates = true;
  static constexpr Snapshots snapshots{.every = 7, .keep = 2};

  explicit Board(std::string key) : key_(std::move(key)) {}
  std::string persistence_id() const { return "Board/" + key_; }

  static Marks apply(Marks s, const Marked& e) noexcept {
    const std::uint64_t bit = std::uint64_t{1} << e.bit;
    return {s.bits | bit, s.twice | (s.bits & bit)};
  }
  Task<std::uint64_t> handle(Mark m) {
    co_await persist(Marked{m.bit});
    co_return state().bits;
  }
  std::uint64_t handle(Look) const {
    CHECK_EQ(state().twice, 0);
    return state().bits;
  }
  int handle(Where, Context& ctx) const { return ctx.core().index(); }
  void handle(Trip) { throw std::runtime_error("tripped"); }

 private:
  std::string key_;
};

struct Bystander {
  int handle(Where, Context& ctx) const { return ctx.core().index(); }
};

/// What the askers know of one board.
struct Model {
  std::uint64_t acknowledged = 0;
  std::uint64_t in_doubt = 0;
  std::uint8_t next = 0;
};

void mark(test::World& world, ShardRef<Board> board, Model& model) {
  const std::uint8_t bit = model.next++;
  model.in_doubt |= std::uint64_t{1} << bit;
  world.system().run_as_guest([](ShardRef<Board> to, std::uint8_t its_bit, Model& known) -> Task<void> {
    auto answer = co_await to.ask(Mark{its_bit}, {.within = 20s});
    const std::uint64_t mask = std::uint64_t{1} << its_bit;
    if (answer) {
      CHECK_EQ(*answer & mask, mask);
      known.acknowledged |= mask;
    }
    if (answer || answer.error().safe_to_retry()) known.in_doubt &= ~mask;
  }(board, bit, model));
}

void hold(const Model& model, std::uint64_t found) {
  CHECK_EQ(found & model.acknowledged, model.acknowledged);
  CHECK_EQ(found & ~(model.acknowledged | model.in_doubt), 0);
}

constexpr test::Faults everything{
    .timer_delay_max = 5ms,
    .ring_full = {3},
    .disk = {.write_fails = {40}, .sync_fails = {40}},
    .journal = {.fails_before = {20}, .fails_after = {20}, .delay_max = 3ms},
};

}  // namespace

TEST_CASE("an entity with a journal takes its state along, and goes on recording where it is") {
  test::World w{1, {.cores = 3}};
  w.start_journal();
  Shards<Board> boards{w, {.count = 1}};
  const auto board = boards.ref("a");
  std::uint64_t expected = 0;
  for (std::uint8_t bit = 0; bit < 12; ++bit) {
    expected |= std::uint64_t{1} << bit;
    CHECK_EQ(w.block_on(board.ask(Mark{bit})).value(), expected);
    const int core = (w.block_on(board.ask(Where{})).value() + 1) % 3;
    REQUIRE(w.block_on(boards.move(0, core)).has_value());
    CHECK_EQ(w.block_on(board.ask(Where{})).value(), core);
  }
  board.tell(Trip{});
  CHECK_EQ(w.block_on(board.ask(Look{})).value(), expected);
}

TEST_CASE("an entity that has moved and is fenced then stops itself, not who stands where it stood") {
  test::World w{2, {.cores = 2}};
  w.start_journal();
  Shards<Board> boards{w, {.count = 1}};
  const auto older = boards.ref("a");
  CHECK_EQ(w.block_on(older.ask(Mark{0})).value(), 1);
  const int core = w.block_on(older.ask(Where{})).value();
  REQUIRE(w.block_on(boards.move(0, 1 - core)).has_value());
  std::vector<Ref<Bystander>> bystanders;  // one of them in the cell that it had
  for (int i = 0; i < 4; ++i) bystanders.push_back(w.spawn<Bystander>({.core = core}));
  w.run_until_idle();

  auto newer = w.spawn<Board>({.core = core}, "a");
  CHECK_EQ(w.block_on(newer.ask(Mark{1})).value(), 3);
  const auto late = w.block_on(older.ask(Mark{2}));
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().outcome == Outcome::executed_failed);
  for (const auto bystander : bystanders) CHECK_EQ(w.block_on(bystander.ask(Where{})).value(), core);
  CHECK_EQ(w.block_on(newer.ask(Mark{3})).value(), 0b1011);
}

TEST_CASE("whatever moves, fails and starts anew, what was acknowledged is there, once") {
  int moved = 0;
  int doubts = 0;
  test::explore(
      {.schedules = 60},
      [&](test::Seed seed) {
        std::map<std::string, Model> models;
        const test::WorldOptions options{.cores = 3, .supervision = {.intensity = {.restarts = 1000}}};
        test::World w{seed, options};
        w.start_journal();
        {
          Shards<Board> boards{w, {.count = 3, .passivate_after = 30ms, .move_within = 20ms}};
          w.faults() = everything;
          base::Random& random = w.random();
          for (int step = 0; step < 60; ++step) {
            const std::string key(1, static_cast<char>('a' + random.below(4)));
            switch (random.below(8)) {
              case 0:
                boards.ref(key).tell(Trip{});
                break;
              case 1:
              case 2:
              case 3: {
                const auto result = w.block_on(boards.move(boards.shard_of(key), static_cast<int>(random.below(3))));
                moved += result.has_value() ? 1 : 0;
                break;
              }
              default:
                mark(w, boards.ref(key), models[key]);
            }
            w.run(random.below(40));
            if (random.below(3) == 0) w.advance(Duration{1ms * random.below(30)});
          }
          if (random.below(2) == 0) w.advance(30s);
        }
        w.crash();
        w.faults() = {};
        w.start_journal();
        for (const auto& [key, model] : models) {
          hold(model, w.block_on(w.spawn<Board>({}, key).ask(Look{})).value());
          doubts += std::popcount(model.in_doubt);
        }
      },
      [&] {
        CHECK_GT(moved, 1000);
        CHECK_GT(doubts, 100);
      });
}
