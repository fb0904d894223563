// The rank test that judges times: what it must find, and what it must let pass.
#include "tools/oauth_timing/rank.h"

#include <doctest/doctest.h>

#include <cmath>

#include "troupe/base/random.h"

using namespace troupe;
using namespace troupe::oauth_timing;

namespace {

/// Times with a long tail, as requests have them.
std::vector<double> times(base::Random& random, std::size_t count, double more) {
  std::vector<double> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back(100 + more + 20 * random.unit() + (random.below(50) == 0 ? 5000 * random.unit() : 0));
  return all;
}

}  // namespace

TEST_CASE("times of one kind are told to be of one kind") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    base::SeededRandom random{seed};
    const auto first = times(random, 2000, 0), second = times(random, 2000, 0);
    CHECK_LT(std::abs(rank_deviation(first, second)), 4.5);
  }
}

TEST_CASE("a difference of a hundredth is found, in its direction, among times that vary by a fifth") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    base::SeededRandom random{seed};
    const auto first = times(random, 5000, 1), second = times(random, 5000, 0);
    CHECK_GT(rank_deviation(first, second), 4.5);
    CHECK_LT(rank_deviation(second, first), -4.5);
  }
}

TEST_CASE("equal times differ by nothing, and the median is the one in the middle") {
  CHECK_EQ(rank_deviation({1, 1, 2, 2}, {1, 1, 2, 2}), 0);
  CHECK_EQ(median({9, 1, 5}), 5);
}
