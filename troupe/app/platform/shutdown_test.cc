// The phases of the server's shutdown in virtual time: their lines, their times, and what hurry does to them.
#include "troupe/app/platform/shutdown.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"
#include "troupe/base/log.h"

using namespace troupe;
using namespace troupe::app;
using namespace std::chrono_literals;

namespace {

actor::Task<void> nap(base::Duration time) { co_await actor::sleep(time); }

/// Two phases, the first of which takes an hour unless it is told to hurry and heeds it.
struct Leaving {
  Leaving() {
    shutdown.add({.phase = {.name = "drain", .timeout = 2h},
                  .work = [this] { return drain(this); },
                  .hurry =
                      [this] {
                        ++hurries;
                        heeded = heeds;
                      },
                  .hurried_within = 1500ms});
    shutdown.add({.phase = {.name = "flush", .after = {"drain"}, .timeout = 1h}, .work = [] { return nap(10min); }});
    shutdown.begin([this] { gone = true; });
    world.advance(1min);
  }

  static actor::Task<void> drain(const Leaving* self) {
    for (auto slept = 0s; slept < 1h && !self->heeded; slept += 1s) co_await actor::sleep(1s);
  }
  bool after(base::Duration time) {
    world.advance(time);
    return gone;
  }

  base::log::Capture log;
  actor::test::World world{1};
  Shutdown shutdown{world.system()};
  bool heeds = false;
  bool heeded = false;
  bool gone = false;
  int hurries = 0;
};

}  // namespace

TEST_CASE("a shutdown that nobody hurries takes its time, and each phase says when it begins and is over") {
  Leaving leaving;
  CHECK(leaving.log.contains("\"shutdown phase begins\" phase=drain"));
  CHECK_FALSE(leaving.log.contains("phase=flush"));
  CHECK_FALSE(leaving.after(1h));
  CHECK(leaving.log.contains("\"shutdown phase over\" phase=drain took_ms=3600"));
  CHECK(leaving.log.contains("\"shutdown phase begins\" phase=flush"));
  CHECK(leaving.after(10min));
  CHECK(leaving.log.contains("\"shutdown phase over\" phase=flush took_ms=600"));
  CHECK_EQ(leaving.hurries, 0);
  CHECK_EQ(leaving.shutdown.longest(), 3h);
}

TEST_CASE("a phase that heeds the hurry is done at once, and the next one gets little time") {
  Leaving leaving;
  leaving.heeds = true;
  leaving.shutdown.hurry();
  CHECK_FALSE(leaving.after(1100ms));
  CHECK_EQ(leaving.hurries, 1);
  CHECK(leaving.log.contains("\"shutdown phase over\" phase=drain"));
  CHECK(leaving.after(600ms));
  CHECK(leaving.log.contains("\"shutdown phase cut short\" phase=flush took_ms=5"));
}

TEST_CASE("a phase that does not heed it is cut short, and all is over in the time that was promised") {
  Leaving leaving;
  leaving.shutdown.hurry();
  CHECK_FALSE(leaving.after(1400ms));
  CHECK_FALSE(leaving.log.contains("cut short"));
  CHECK(leaving.after(leaving.shutdown.longest_hurried() - 1400ms + 50ms));
  CHECK(leaving.log.contains("\"shutdown phase cut short\" phase=drain took_ms=615"));
  CHECK_EQ(leaving.hurries, 1);
}

TEST_CASE("who hurries twice waits for nothing") {
  Leaving leaving;
  leaving.shutdown.hurry();
  leaving.shutdown.hurry();
  CHECK(leaving.after(100ms));
}

TEST_CASE("a phase that throws or takes too long is reported, and the next one begins") {
  base::log::Capture log;
  actor::test::World world{1};
  Shutdown shutdown{world.system()};
  shutdown.add({.phase = {.name = "bad"}, .work = []() -> actor::Task<void> { throw std::runtime_error("no disk"); }});
  shutdown.add({.phase = {.name = "slow", .after = {"bad"}, .timeout = 1s}, .work = [] { return nap(1h); }});
  shutdown.add({.phase = {.name = "last", .after = {"slow"}}, .work = [] { return nap(1s); }});
  bool gone = false;
  shutdown.begin([&] { gone = true; });
  world.advance(3s);
  CHECK(gone);
  REQUIRE_EQ(world.reports().size(), 2);
  CHECK(world.reports()[0].contains("bad failed: no disk"));
  CHECK(world.reports()[1].contains("slow timed out"));
  CHECK(log.contains("\"shutdown phase over\" phase=last"));
  world.advance(2h);
  CHECK_FALSE(log.contains("\"shutdown phase over\" phase=slow"));  // what came of it later is nobody's business
}
