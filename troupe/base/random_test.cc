// What a source of random numbers promises.
#include "troupe/base/random.h"

#include <doctest/doctest.h>
#include <set>

using namespace troupe::base;

TEST_CASE("a seeded source repeats from its seed, and differs between seeds") {
  SeededRandom a{7}, b{7}, c{8};
  for (int i = 0; i < 100; ++i) {
    const auto x = a.next();
    CHECK_EQ(x, b.next());
    CHECK_NE(x, c.next());
  }
}

TEST_CASE("below() stays below its bound and reaches every value") {
  SeededRandom random{1};
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.below(7));
  CHECK_EQ(seen.size(), 7);
  CHECK_EQ(*seen.rbegin(), 6);
  CHECK_EQ(random.below(1), 0);
}

TEST_CASE("unit() lies in [0, 1)") {
  SeededRandom random{3};
  for (int i = 0; i < 1000; ++i) {
    const double x = random.unit();
    CHECK(x >= 0.0);
    CHECK(x < 1.0);
  }
}

TEST_CASE("the secure source does not repeat, also past its block") {
  auto random = secure_random();
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 2000; ++i) seen.insert(random->next());
  CHECK_EQ(seen.size(), 2000);
}
