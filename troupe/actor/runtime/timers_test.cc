// The timer wheel against a plain sorted model.
#include "troupe/actor/runtime/timers.h"

#include <doctest/doctest.h>

#include <deque>
#include <map>

#include "troupe/base/random.h"

using namespace troupe::actor;
using namespace std::chrono_literals;
using troupe::base::Instant;

namespace {

struct Recorder : TimerNode {
  explicit Recorder(std::vector<int>& o, int n) : TimerNode(note), out(o), number(n) {}
  static void note(TimerNode& node) noexcept {
    auto& self = static_cast<Recorder&>(node);
    self.out.push_back(self.number);
  }
  std::vector<int>& out;
  int number;
};

}  // namespace

TEST_CASE("a timer fires at its time, not before, and once") {
  TimerWheel wheel{Instant{}};
  std::vector<int> fired;
  Recorder timer{fired, 1};
  wheel.arm(timer, Instant{} + 10ms);
  wheel.advance(Instant{} + 9ms);
  CHECK(fired.empty());
  wheel.advance(Instant{} + 10ms);
  CHECK_EQ(fired.size(), 1);
  wheel.advance(Instant{} + 10h);
  CHECK_EQ(fired.size(), 1);
}

TEST_CASE("a node that dies disarms itself") {
  TimerWheel wheel{Instant{}};
  std::vector<int> fired;
  {
    Recorder timer{fired, 1};
    wheel.arm(timer, Instant{} + 10ms);
  }
  CHECK_EQ(wheel.size(), 0);
  wheel.advance(Instant{} + 1h);
  CHECK(fired.empty());
}

TEST_CASE("whoever sleeps until the next timer wakes once for each, however far it is") {
  TimerWheel wheel{Instant{} + 123ms};
  std::vector<int> fired;
  Recorder near{fired, 1}, soon{fired, 2}, later{fired, 3}, far{fired, 4};
  wheel.arm(far, Instant{} + 3h);
  wheel.arm(soon, Instant{} + 640ms);
  wheel.arm(later, Instant{} + 61s);
  wheel.arm(near, Instant{} + 140ms);
  for (std::size_t woken = 1; woken <= 4; ++woken) {
    REQUIRE(wheel.next().has_value());
    CHECK_EQ(wheel.advance(*wheel.next()), 1);
    CHECK_EQ(fired.size(), woken);
  }
  CHECK_EQ(fired, std::vector{1, 2, 3, 4});
  CHECK_FALSE(wheel.next().has_value());
}

TEST_CASE("at the end of time a timer still fires when its time comes, and what is for never comes last") {
  const Instant late{INT64_MAX - 3'600'000'000'000};
  TimerWheel wheel{late};
  std::vector<int> fired;
  Recorder overdue{fired, 1}, soon{fired, 2}, later{fired, 3}, never{fired, 4}, none{fired, 5};
  wheel.arm(never, Instant::never());
  wheel.arm(later, late + 59min);
  wheel.arm(soon, late + 40ms);
  wheel.arm(overdue, Instant{});
  while (wheel.size() > 1) {
    REQUIRE(wheel.next().has_value());
    wheel.advance(*wheel.next());
  }
  CHECK_EQ(fired, std::vector{1, 2, 3});
  wheel.advance(Instant::never());
  CHECK_EQ(fired, std::vector{1, 2, 3, 4});
  wheel.arm(none, Instant::never());  // behind the last tick that there is
  wheel.arm(soon, Instant::never() + 1s);
  CHECK_EQ(wheel.next(), Instant::never());
}

TEST_CASE("a random history of arming, disarming and time agrees with a sorted model") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const bool is_slow = seed % 2 == 0;  // years in big steps, or seconds in small ones
    const std::uint64_t delay_bits = is_slow ? 34 : 9;
    const std::uint64_t step_bits = is_slow ? 30 : 7;
    troupe::base::SeededRandom random{seed};
    TimerWheel wheel{Instant{}};
    std::vector<int> fired;
    std::deque<Recorder> timers;
    for (int i = 0; i < 50; ++i) timers.emplace_back(fired, i);
    std::map<int, std::int64_t> model;  // timer -> the millisecond it is due
    std::int64_t now = 0;
    for (int step = 0; step < 2000; ++step) {
      const int which = static_cast<int>(random.below(50));
      switch (random.below(3)) {
        case 0: {
          const auto delay = static_cast<std::int64_t>(random.below(std::uint64_t{1} << random.below(delay_bits)));
          wheel.arm(timers[static_cast<std::size_t>(which)], Instant{} + std::chrono::milliseconds{now + delay});
          model[which] = std::max(now + delay, now + 1);
          break;
        }
        case 1:
          wheel.disarm(timers[static_cast<std::size_t>(which)]);
          model.erase(which);
          break;
        case 2: {
          now += static_cast<std::int64_t>(random.below(std::uint64_t{1} << random.below(step_bits)));
          fired.clear();
          wheel.advance(Instant{} + std::chrono::milliseconds{now});
          std::int64_t last = 0;
          for (const int number : fired) {
            REQUIRE(model.contains(number));
            CHECK(model[number] <= now);
            CHECK(model[number] >= last);
            last = model[number];
            model.erase(number);
          }
          for (const auto& [number, due] : model) CHECK(due > now);
          break;
        }
      }
      REQUIRE_EQ(wheel.size(), model.size());
      const auto next = wheel.next();
      CHECK_EQ(next.has_value(), !model.empty());
      for (const auto& [number, due] : model) CHECK(next->nanoseconds <= due * 1'000'000);
    }
  }
}
