// ShortId: a short text by value.
#include "troupe/realtime/protocol/short_id.h"

#include <doctest/doctest.h>

#include <string>

namespace troupe::realtime {
namespace {

TEST_CASE("up to fifteen characters are kept as they are") {
  for (std::string_view text : {"", "a", "c-123", "123456789012345"}) {
    CAPTURE(text);
    CHECK_EQ(ShortId{text}.view(), text);
    CHECK_EQ(ShortId{text}.empty(), text.empty());
    REQUIRE(ShortId::parse(text).has_value());
    CHECK(*ShortId::parse(text) == ShortId{text});
  }
  static_assert(sizeof(ShortId) == 16);
}

TEST_CASE("what a stranger says is no id when it is longer") {
  CHECK_FALSE(ShortId::parse("1234567890123456").has_value());
  CHECK_FALSE(ShortId::parse(std::string(1000, 'x')).has_value());
}

TEST_CASE("ids are equal, ordered and hashed as their texts are") {
  const std::string_view texts[]{"", "a", "aa", "ab", "b", "b1", "b12345678901234"};
  for (auto one : texts) {
    for (auto other : texts) {
      CAPTURE(one);
      CAPTURE(other);
      CHECK_EQ(ShortId{one} == ShortId{other}, one == other);
      CHECK_EQ(ShortId{one} < ShortId{other}, one < other);
      if (one == other) CHECK_EQ(std::hash<ShortId>{}(ShortId{one}), std::hash<ShortId>{}(ShortId{other}));
    }
  }
}

}  // namespace
}  // namespace troupe::realtime
