// World: actors that never come to rest are stopped soon, and the last words name them.
#include <doctest/doctest.h>

#include "troupe/actor/sim/explore.h"
#include "troupe/base/testing/ending.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Push {
  int times = -1;  // for ever
};

class Sisyphus {
 public:
  void handle(Push m, Context& ctx) {
    if (m.times != 0) ctx.self(this).tell(Push{m.times - 1});
  }
};

struct Ball {};
struct Player;
struct Meet {
  Ref<Player> other;
};
struct Player {
  void handle(Meet m) { other = m.other; }
  void handle(Ball) { other.tell(Ball{}); }
  Ref<Player> other;
};

}  // namespace

TEST_CASE("an actor that tells itself something for ever stops the process, which names it and its message") {
  const auto ending = troupe::base::testing::ending_of([] {
    test::explore(1, [](test::World& w) {
      w.spawn<Sisyphus>({.name = "sisyphus"}).tell(Push{});
      w.spawn<Sisyphus>({.name = "bystander"}).tell(Push{3});
      w.run_until_idle();
    });
  });
  CAPTURE(ending.said);
  CHECK(WIFSIGNALED(ending.status));
  CHECK(ending.said.contains("never come to rest: of the last 200 steps sisyphus took 200 (Push)"));
  CHECK(ending.said.contains("repeat it with:"));
}

TEST_CASE("two actors that go on and on with each other are both named") {
  const auto ending = troupe::base::testing::ending_of([] {
    test::World w{7};
    auto one = w.spawn<Player>({.name = "one", .core = 0});
    auto two = w.spawn<Player>({.name = "two", .core = 1});
    one.tell(Meet{two});
    two.tell(Meet{one});
    one.tell(Ball{});
    w.advance(1s);
  });
  CAPTURE(ending.said);
  CHECK(WIFSIGNALED(ending.status));
  CHECK(ending.said.contains("one took 100 (Ball)"));
  CHECK(ending.said.contains("two took 100 (Ball)"));
}

TEST_CASE("how much work there may be at one moment is an option, and whoever meets the limit is told which") {
  const auto push = [](int times) {
    return troupe::base::testing::ending_of([times] {
      test::World w{1, {.work_at_rest_max = 5000}};
      w.spawn<Sisyphus>({.name = "sisyphus"}).tell(Push{times});
      w.run_until_idle();
    });
  };
  CHECK_EQ(push(1000).status, 0);
  const auto ending = push(6000);
  CAPTURE(ending.said);
  CHECK(WIFSIGNALED(ending.status));
  CHECK(
      ending.said.contains("a world with more work than 5000 turns and steps at one moment says so in "
                           "WorldOptions::work_at_rest_max"));
}
