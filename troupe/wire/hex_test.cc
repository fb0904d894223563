// Hexadecimal text: two digits a byte, and nothing else.
#include "troupe/wire/hex.h"

#include <doctest/doctest.h>

namespace troupe::wire {
namespace {

TEST_CASE("two digits of either case are a byte") {
  using namespace std::string_literals;
  CHECK_EQ(from_hex("").value(), "");
  CHECK_EQ(from_hex("00ff7Fa0").value(), "\0\xff\x7f\xa0"s);
}

TEST_CASE("anything else is no hexadecimal text") {
  for (const auto* text : {"0", "000", "0g", "g0", " 0", "0x", "+1", "-1", "00 0", "00\n"}) {
    CAPTURE(text);
    CHECK_FALSE(from_hex(text).has_value());
  }
}

}  // namespace
}  // namespace troupe::wire
