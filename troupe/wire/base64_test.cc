// Base64: the vectors of RFC 4648, what strict decoding refuses, and the way there and back.
#include "troupe/wire/base64.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace troupe::wire {
namespace {

TEST_CASE("the test vectors of RFC 4648 come out as written there") {
  struct Row {
    std::string_view bytes, standard, url;
  };
  constexpr Row rows[] = {
      {"", "", ""},
      {"f", "Zg==", "Zg"},
      {"fo", "Zm8=", "Zm8"},
      {"foo", "Zm9v", "Zm9v"},
      {"foob", "Zm9vYg==", "Zm9vYg"},
      {"fooba", "Zm9vYmE=", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
      {"\xfb\xff\xfe", "+//+", "-__-"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.standard);
    CHECK_EQ(to_base64(row.bytes), row.standard);
    CHECK_EQ(to_base64url(row.bytes), row.url);
    CHECK_EQ(from_base64(row.standard), row.bytes);
    CHECK_EQ(from_base64url(row.url), row.bytes);
  }
}

TEST_CASE("text that no encoder writes is refused") {
  for (std::string_view text :
       {"Zg", "Zg=", "Zg===", "Z", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "-__-", "Z=g=", "====", "=", "Zm9vZg==Zm9v"}) {
    CAPTURE(text);
    CHECK_FALSE(from_base64(text).has_value());
  }
  for (std::string_view text : {"Zg==", "Zg=", "Z", "Zh", "Zm9", "+//+", "Zm9v ", "Zm9v="}) {
    CAPTURE(text);
    CHECK_FALSE(from_base64url(text).has_value());
  }
}

TEST_CASE("a character of no alphabet is found wherever it stands") {
  for (const std::string_view good : {"QUJDREVGR0hJSktM", "QUJDREVGR0hJSktMTQ", "QUJDREVGR0hJSktMTU4"}) {
    CHECK(from_base64url(good).has_value());
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (const char wrong : {'=', '+', '/', '.', ' ', '\0', '\x7f', '\x80', '\xff'}) {
        std::string text{good};
        text[at] = wrong;
        CAPTURE(text);
        CHECK_FALSE(from_base64url(text).has_value());
      }
    }
  }
}

TEST_CASE("any bytes survive the way there and back") {
  CHECK(rc::check([](const std::string& bytes) {
    RC_ASSERT(from_base64(to_base64(bytes)) == bytes);
    RC_ASSERT(from_base64url(to_base64url(bytes)) == bytes);
  }));
}

TEST_CASE("one value has one text: whatever decodes encodes to itself") {
  CHECK(rc::check([] {
    auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string{"AQgwZ09-_+/=h"}));
    if (auto bytes = from_base64(text)) RC_ASSERT(to_base64(*bytes) == text);
    if (auto bytes = from_base64url(text)) RC_ASSERT(to_base64url(*bytes) == text);
  }));
}

}  // namespace
}  // namespace troupe::wire
