// LatencyHistogram against a sorted list: never too small, at most a hundredth too large.
#include "troupe/realtime/load/latency_histogram.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "troupe/base/random.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

TEST_CASE("what it tells is never too small and at most a hundredth too large, whatever was measured") {
  base::SeededRandom random{7};
  for (int round = 0; round < 20; ++round) {
    LatencyHistogram histogram, half;
    std::vector<std::int64_t> sorted;
    for (int i = 0; i < 2000; ++i) {
      const auto value = static_cast<std::int64_t>(random.below(std::uint64_t{1} << (1 + random.below(41))));
      sorted.push_back(value);
      (i % 2 == 0 ? histogram : half).record(base::Duration{value});
    }
    histogram.add(half);
    std::ranges::sort(sorted);
    CHECK_EQ(histogram.count(), 2000);
    CHECK_EQ(histogram.longest().count(), sorted.back());
    for (double share : {0.0005, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const auto exact = sorted[static_cast<std::size_t>(std::ceil(share * 2000)) - 1];
      const auto told = histogram.at_share(share).count();
      CHECK_GE(told, exact);
      CHECK_LE(static_cast<double>(told), static_cast<double>(exact) * 1.01);
    }
  }
}

TEST_CASE("none, negative and endless durations are no trouble") {
  LatencyHistogram histogram;
  CHECK_EQ(histogram.at_share(0.5), 0ns);
  histogram.record(-1s);
  CHECK_EQ(histogram.at_share(1), 0ns);
  histogram.record(24h);
  CHECK_EQ(histogram.longest(), 1h);
  CHECK_EQ(histogram.at_share(1), 1h);
  histogram.clear();
  CHECK_EQ(histogram.count(), 0);
  CHECK_EQ(histogram.longest(), 0ns);
}

}  // namespace
}  // namespace troupe::realtime
