// Spread and SampledTime: where values are counted, and which steps are timed.
#include "troupe/realtime/topic/spread.h"

#include <doctest/doctest.h>

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a value is counted once, in the bucket of its power of two") {
  struct Row {
    std::uint64_t value;
    std::size_t bucket;
  };
  for (const auto& [value, bucket] :
       {Row{0, 0}, {1, 1}, {2, 2}, {3, 2}, {4, 3}, {1023, 10}, {1024, 11}, {UINT64_MAX, 35}}) {
    CAPTURE(value);
    Spread spread;
    spread.add(value);
    for (std::size_t i = 0; i < Spread::buckets; ++i) CHECK_EQ(spread.count(i), i == bucket ? 1 : 0);
    CHECK_EQ(spread.sum(), value);
  }
}

struct CountedClock {
  base::Instant read_clock() const {
    ++reads;
    return now;
  }
  mutable int reads = 0;
  base::Instant now;
};

TEST_CASE("one step in 64 is timed, and the others read no clock") {
  CountedClock clock;
  SampledTime time;
  int done = 0;
  for (int i = 0; i < 129; ++i) {
    const int result = time.measure(clock, [&] {
      clock.now = clock.now + 1000ns;
      return ++done;
    });
    CHECK_EQ(result, i + 1);
  }
  CHECK_EQ(clock.reads, 6);  // the first, the 65th and the 129th, before and after
  CHECK_EQ(time.spread().count(10), 3);
  CHECK_EQ(time.spread().sum(), 3000);
}

TEST_CASE("a clock that goes back counts as no time") {
  Spread spread;
  spread.add(base::Duration{-5});
  CHECK_EQ(spread.count(0), 1);
}

}  // namespace
}  // namespace troupe::realtime
