// ProvenTokens: what was proven is found, what is not asked about goes, and there are never more than two halves.
#include "troupe/oauth/actor/proven_tokens.h"

#include <doctest/doctest.h>

#include <string>

namespace troupe::oauth {
namespace {

crypto::Digest named(int number) { return crypto::sha256(std::to_string(number)); }

TEST_CASE("a text is found by its digest, and another is not") {
  ProvenTokens<int> proven{4};
  CHECK_EQ(proven.find(named(1)), nullptr);
  proven.insert(named(1), 11);
  REQUIRE(proven.find(named(1)) != nullptr);
  CHECK_EQ(*proven.find(named(1)), 11);
  CHECK_EQ(proven.find(named(2)), nullptr);
}

TEST_CASE("a hundred thousand strangers take the room of two halves") {
  ProvenTokens<int> proven{100};
  for (int number = 0; number < 100'000; ++number) {
    proven.insert(named(number), number);
    REQUIRE_LE(proven.size(), 200);
  }
  CHECK_EQ(proven.find(named(0)), nullptr);
  CHECK(proven.find(named(99'999)) != nullptr);
}

TEST_CASE("what is asked about stays, however many come") {
  ProvenTokens<int> proven{10};
  proven.insert(named(-1), 7);
  for (int number = 0; number < 1'000; ++number) {
    proven.insert(named(number), number);
    REQUIRE(proven.find(named(-1)) != nullptr);
  }
}

TEST_CASE("nothing is left of what was cleared") {
  ProvenTokens<int> proven{2};
  for (int number = 0; number < 4; ++number) proven.insert(named(number), number);
  proven.clear();
  CHECK_EQ(proven.size(), 0);
  for (int number = 0; number < 4; ++number) CHECK_EQ(proven.find(named(number)), nullptr);
}

}  // namespace
}  // namespace troupe::oauth
