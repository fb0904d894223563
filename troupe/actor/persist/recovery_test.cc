// Recovery as a law: whatever fails whenever, what was acknowledged is there, once, and nothing else but what is in
// doubt.
#include <doctest/doctest.h>

#include "troupe/actor/persist/event_sourced.h"
#include "troupe/actor/persist/journal.h"
#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

/// Sets one bit, so that the state tells which events it is made of, and how often each came.
struct Marked {
  std::uint8_t bit = 0;
};
struct Marks {
  std::uint64_t bits = 0;
  std::uint64_t twice = 0;
};
struct Mark {
  std::vector<std::uint8_t> bits;  // all or none
  using reply = std::uint64_t;
};
struct Look {
  using reply = std::uint64_t;
};
struct Trip {};

class Board : public EventSourced<Marks, Events<Marked>> {
 public:
  static constexpr Snapshots snapshots{.every = 5, .keep = 2};
  static Marks apply(Marks s, const Marked& e) noexcept {
    const std::uint64_t bit = std::uint64_t{1} << e.bit;
    return {s.bits | bit, s.twice | (s.bits & bit)};
  }
  Task<std::uint64_t> handle(Mark m) {
    std::vector<Event> events;
    for (const std::uint8_t bit : m.bits) events.push_back(Marked{bit});
    co_await persist(std::move(events));
    co_return state().bits;
  }
  std::uint64_t handle(Look) const {
    CHECK_EQ(state().twice, 0);
    return state().bits;
  }
  void handle(Trip) { throw std::runtime_error("tripped"); }
};

/// What the askers know.
struct Model {
  std::uint64_t acknowledged = 0;
  std::uint64_t in_doubt = 0;
  std::vector<std::uint64_t> groups;  // events that were recorded together
};

void mark(test::World& world, Ref<Board> board, std::vector<std::uint8_t> bits, Model& model) {
  std::uint64_t mask = 0;
  for (const std::uint8_t bit : bits) mask |= std::uint64_t{1} << bit;
  model.groups.push_back(mask);
  model.in_doubt |= mask;
  world.system().run_as_guest([](Ref<Board> to, Mark message, std::uint64_t its_mask, Model& known) -> Task<void> {
    auto answer = co_await to.ask(std::move(message), {.within = 30s});
    if (answer) {
      CHECK_EQ(*answer & its_mask, its_mask);
      known.acknowledged |= its_mask;
    }
    if (answer || answer.error().safe_to_retry()) known.in_doubt &= ~its_mask;
  }(board, Mark{std::move(bits)}, mask, model));
}

void hold(const Model& model, std::uint64_t found) {
  CHECK_EQ(found & model.acknowledged, model.acknowledged);
  CHECK_EQ(found & ~(model.acknowledged | model.in_doubt), 0);
  for (const std::uint64_t group : model.groups) CHECK(((found & group) == 0 || (found & group) == group));
}

constexpr test::Faults everything{
    .timer_delay_max = 5ms,
    .ring_full = {3},
    .disk = {.write_fails = {20}, .sync_fails = {20}},
    .journal = {.fails_before = {10}, .fails_after = {10}, .delay_max = 30ms},
};

/// One life of a process: random commands, faults, restarts and takeovers, until its power fails.
void live(test::World& world, std::uint8_t& next_bit, Model& model) {
  world.faults() = {};
  world.start_journal();
  auto board = world.spawn<Board>({.name = "board"});
  hold(model, world.block_on(board.ask(Look{})).value());
  world.faults() = everything;
  base::Random& random = world.random();
  for (int step = 0; step < 12; ++step) {
    switch (random.below(6)) {
      case 0:
        board.tell(Trip{});
        break;
      case 1:  // another activation, on any core; the one before is not told
        board = world.spawn<Board>({.name = "board", .core = static_cast<int>(random.below(2))});
        break;
      default:
        std::vector<std::uint8_t> bits(1 + random.below(2));
        if (next_bit + bits.size() > 64) break;
        for (std::uint8_t& bit : bits) bit = next_bit++;
        mark(world, board, std::move(bits), model);
    }
    world.advance(Duration{1ms * random.below(60)});
  }
  if (random.below(2) == 0) {  // the faults end, and whoever activates it now finds the truth
    world.faults() = {};
    world.advance(60s);
    board = world.spawn<Board>({.name = "board"});
    hold(model, world.block_on(board.ask(Look{})).value());
  }
  world.crash();
}

TEST_CASE("whatever fails and whenever the power does, what was acknowledged is there, once") {
  int doubts = 0;
  test::explore(
      {.schedules = 60, .world = {.supervision = {.intensity = {.restarts = 1000}}}},
      [&](test::World& world) {
        Model model;  // outlives the askers, who learn nothing after the power has failed
        std::uint8_t next_bit = 0;
        for (int life = 0; life < 3; ++life) live(world, next_bit, model);
        world.faults() = {};
        world.start_journal();
        hold(model, world.block_on(world.spawn<Board>({.name = "board"}).ask(Look{})).value());
        doubts += std::popcount(model.in_doubt);
      },
      [&] { CHECK_GT(doubts, 120); });  // or nothing went wrong, and nothing was shown
}

}  // namespace
