// Persistent actors: the state that was saved is the one that comes back.
#include "troupe/actor/persist/persistent.h"

#include <doctest/doctest.h>

#include "troupe/actor/persist/testing/journal_world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Settings {
  std::string theme = "light";
  std::int32_t volume = 5;
};
struct SetVolume {
  std::int32_t volume = 0;
  using reply = std::int32_t;
};
struct SetTheme {
  std::string theme;
};
struct GetTheme {
  using reply = std::string;
};
struct GetVolume {
  using reply = std::int32_t;
};
struct Break {};

class Preferences : public Persistent<Settings> {
 public:
  Preferences() : Persistent(Settings{.theme = "dark"}) {}
  Task<std::int32_t> handle(SetVolume m) {
    state().volume = m.volume;
    co_await save();
    co_return state().volume;
  }
  void handle(SetTheme m) { state().theme = std::move(m.theme); }
  std::string handle(GetTheme) const { return state().theme; }
  std::int32_t handle(GetVolume) const { return state().volume; }
  void handle(Break) { throw std::runtime_error("broken"); }
};

struct Bench : test::JournalWorld {
  using JournalWorld::JournalWorld;
  Ref<Preferences> preferences() { return spawn<Preferences>("alice"); }
};

TEST_CASE("a saved state comes back after a restart, an unsaved change does not") {
  Bench bench{1};
  auto alice = bench.preferences();
  CHECK_EQ(bench.ask(alice, GetTheme{}).value(), "dark");  // as it was constructed
  CHECK_EQ(bench.ask(alice, SetVolume{9}).value(), 9);
  CHECK_EQ(bench.ask(alice, SetVolume{7}).value(), 7);
  alice.tell(SetTheme{"pink"});
  alice.tell(Break{});
  CHECK_EQ(bench.ask(alice, GetTheme{}).value(), "dark");
  bench.crash();
  CHECK_EQ(bench.ask(bench.preferences(), GetVolume{}).value(), 7);
}

TEST_CASE("a save that failed is thrown, and the restart finds the state that was kept") {
  Bench bench{3};
  auto alice = bench.preferences();
  CHECK_EQ(bench.ask(alice, SetVolume{1}).value(), 1);
  bench.faults.fails_before = {1};
  CHECK(bench.ask(alice, SetVolume{2}).error().outcome == Outcome::executed_failed);
  bench.faults = {};
  CHECK_EQ(bench.ask(alice, GetVolume{}).value(), 1);
  bench.faults = {.fails_after = {1}};
  CHECK(bench.ask(alice, SetVolume{3}).error().outcome == Outcome::executed_failed);
  bench.faults = {};
  CHECK_EQ(bench.ask(alice, GetVolume{}).value(), 3);
}

TEST_CASE("of two activations only the newer saves") {
  Bench bench{4};
  auto older = bench.preferences();
  CHECK_EQ(bench.ask(older, SetVolume{1}).value(), 1);
  auto newer = bench.preferences();
  CHECK_EQ(bench.ask(newer, SetVolume{2}).value(), 2);
  CHECK_FALSE(bench.ask(older, SetVolume{3}).has_value());
  CHECK_FALSE(bench.ask(older, GetVolume{}).has_value());  // it has stopped
  auto next = bench.preferences();
  CHECK_EQ(bench.ask(next, GetVolume{}).value(), 2);
}

TEST_CASE("a state of another kind is not taken for one's own") {
  Bench bench{5};
  const PersistenceId id{"Preferences/alice"};
  const Head head = bench.world.block_on(bench.journal->activate(id));
  REQUIRE(bench.world.block_on(bench.journal->save(id, head, {"Other", 1, ""}, 1)).has_value());
  auto alice = bench.preferences();
  bench.world.run_until_idle();
  CHECK(bench.reported("Other version 1 cannot be read: this actor's state is another one"));
  CHECK_FALSE(bench.ask(alice, GetVolume{}).has_value());
}

}  // namespace
