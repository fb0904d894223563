// Token buckets: bursts, rates, and bounded memory for any number of keys.
#include "troupe/web/token_bucket.h"

#include <doctest/doctest.h>

namespace troupe::web {
namespace {

using namespace std::chrono_literals;

constexpr RateLimit limit{.per_second = 10, .burst = 3};

TEST_CASE("a burst passes at once, then one passes at each interval") {
  TokenBucket bucket{limit};
  base::Instant now{1'000'000'000'000};
  for (int i = 0; i < 3; ++i) CHECK_FALSE(bucket.take(limit, now).has_value());
  auto wait = bucket.take(limit, now);
  REQUIRE(wait.has_value());
  CHECK_EQ(*wait, 100ms);
  CHECK(bucket.take(limit, now + 99ms).has_value());
  CHECK_FALSE(bucket.take(limit, now + 101ms).has_value());
}

TEST_CASE("keys do not touch each other's buckets") {
  TokenBuckets<int> buckets{limit, 100};
  base::Instant now{};
  for (int i = 0; i < 3; ++i) CHECK_FALSE(buckets.take(1, now).has_value());
  CHECK(buckets.take(1, now).has_value());
  CHECK_FALSE(buckets.take(2, now).has_value());
}

TEST_CASE("a key that is in use keeps its debt however many generations pass") {
  TokenBuckets<int> buckets{limit, 100};
  base::Instant now{};
  int passed = 0;
  for (int i = 0; i < 10'000; ++i, now = now + 1ms) passed += buckets.take(1, now).has_value() ? 0 : 1;
  CHECK_GE(passed, 100);
  CHECK_LE(passed, 104);
}

TEST_CASE("memory stays bounded, and past the bound new keys share one bucket") {
  TokenBuckets<int> buckets{limit, 100};
  base::Instant now{};
  int passed = 0;
  for (int key = 0; key < 1000; ++key) passed += buckets.take(key, now).has_value() ? 0 : 1;
  CHECK_EQ(passed, 103);
  CHECK_EQ(buckets.size(), 100);
  for (int turn = 0; turn < 10; ++turn, now = now + 1s) {
    for (int key = 0; key < 1000; ++key) (void)buckets.take(key, now);
    CHECK_LE(buckets.size(), 200);
  }
}

}  // namespace
}  // namespace troupe::web
