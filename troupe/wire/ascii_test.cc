// ASCII, as protocols mean it: each byte at each place of a text.
#include "troupe/wire/ascii.h"

#include <doctest/doctest.h>

namespace troupe::wire {
namespace {

TEST_CASE("a control character but tab is found wherever it stands, and nothing else is taken for one") {
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    const bool is_control = (byte < 0x20 && c != '\t') || byte == 0x7f;
    for (std::size_t size = 1; size <= 40; ++size) {
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, 'a');
        text[at] = c;
        if (has_control(text) == is_control) continue;
        CAPTURE(byte);
        CAPTURE(size);
        CAPTURE(at);
        FAIL("is taken for what it is not");
      }
    }
  }
  CHECK_FALSE(has_control(""));
}

TEST_CASE("a token is of letters, digits and fifteen marks (RFC 9110, 5.6.2)") {
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    const bool is_one = is_alphanumeric(c) || std::string_view{"!#$%&'*+-.^_`|~"}.contains(c);
    CAPTURE(byte);
    CHECK_EQ(is_token_character(c), is_one);
    CHECK_EQ(is_token(std::string{"a"} + c + "b"), is_one);
  }
  CHECK_FALSE(is_token(""));
}

}  // namespace
}  // namespace troupe::wire
