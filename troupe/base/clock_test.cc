// Tests of time as values and of the two clocks.
#include "troupe/base/clock.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace troupe::base;

TEST_CASE("a manual clock moves only when told") {
  ManualClock clock;
  Instant before = clock.now();
  CHECK(clock.now() == before);

  clock.advance(90s);

  CHECK(clock.now() - before == Duration{90s});
  CHECK(clock.wall() == UnixTime{1'700'000'090'000});
}

TEST_CASE("civil time may jump while monotonic time stays") {
  ManualClock clock;
  Instant before = clock.now();

  clock.jump_wall(-1h);

  CHECK(clock.now() == before);
  CHECK(clock.wall().seconds() == 1'700'000'000 - 3600);
}

TEST_CASE("the machine's clock never goes back and knows the century") {
  Instant first = system_clock().now();
  Instant second = system_clock().now();
  CHECK(second >= first);
  CHECK(system_clock().wall() > UnixTime{1'700'000'000'000});
}

TEST_CASE("what is further away than an instant can be is never, which nothing brings nearer") {
  const Instant now{1'000};
  CHECK(now + Duration::max() == Instant::never());
  CHECK(Instant{INT64_MAX - 1} + Duration{1} == Instant::never());
  CHECK(Instant::never() + Duration{-5s} == Instant::never());
  CHECK(Instant{INT64_MIN + 1} + Duration{-5} == Instant{INT64_MIN});
  CHECK(now + Duration{5} == Instant{1'005});
}
