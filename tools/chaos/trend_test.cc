// Trend: a line is found, noise around nothing is none.
#include "tools/chaos/trend.h"

#include <doctest/doctest.h>

#include <cmath>

#include "troupe/base/random.h"

using troupe::chaos::Trend;

TEST_CASE("the slope of a line is found, whatever lies around it evenly") {
  Trend line, noisy, flat, one;
  troupe::base::SeededRandom random{3};
  for (int i = 0; i < 1000; ++i) {
    line.add(i, 5 + 2.5 * i);
    noisy.add(i, 100 + 0.5 * i + (random.unit() - 0.5) * 20);
    flat.add(i, 100 + (random.unit() - 0.5) * 20);
  }
  CHECK_LT(std::abs(line.slope() - 2.5), 1e-9);
  CHECK_LT(std::abs(line.mean() - (5 + 2.5 * 499.5)), 1e-6);
  CHECK_LT(std::abs(noisy.slope() - 0.5), 0.01);
  CHECK_LT(std::abs(flat.slope()), 0.01);
  one.add(7, 3);
  CHECK_EQ(one.slope(), 0);
  CHECK_EQ(one.mean(), 3);
}
