// JSON: what is read, what is refused and under which name, and that writing and reading are one.
#include "troupe/wire/json.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <limits>

#include "troupe/wire/json_plain.h"

namespace troupe::wire {
namespace {

using namespace std::string_view_literals;

TEST_CASE("a document is read with the order of its members") {
  auto json =
      parse_json(R"( {"b": [1, -2.5, true, null, "x\u00e9\ud83c\udfad\n"], "a": {}, "": 9223372036854775807} )");
  REQUIRE(json.has_value());
  CHECK_EQ(write_json(*json), R"({"b":[1,-2.5,true,null,"xé🎭\n"],"a":{},"":9223372036854775807})");
  CHECK_EQ(*json->find("")->integer(), INT64_MAX);
  CHECK_EQ(json->find("b")->array()->at(1).number(), -2.5);
  CHECK_EQ(json->find("c"), nullptr);
  CHECK_EQ(json->string_at("a"), nullptr);
}

TEST_CASE("a single value is a document") {
  CHECK_EQ(parse_json("null"), Json{});
  CHECK_EQ(parse_json("\"\""), Json{""});
  CHECK_EQ(parse_json(" 0 "), Json{0});
  CHECK_EQ(parse_json("1.0"), Json{1.0});
  CHECK_EQ(parse_json("false"), Json{false});
}

TEST_CASE("what is no document is refused by name") {
  struct Row {
    std::string_view text;
    JsonError error;
  };
  constexpr Row rows[] = {
      {"", JsonError::malformed},
      {"   ", JsonError::malformed},
      {"{", JsonError::malformed},
      {"[1,]", JsonError::malformed},
      {"{\"a\":1,}", JsonError::malformed},
      {"{a:1}", JsonError::malformed},
      {"{'a':1}", JsonError::malformed},
      {"[1] [2]", JsonError::malformed},
      {"01", JsonError::bad_number},
      {"+1", JsonError::malformed},
      {".5", JsonError::malformed},
      {"1.", JsonError::bad_number},
      {"NaN", JsonError::malformed},
      {"tru", JsonError::malformed},
      {"// no\n1", JsonError::malformed},
      {"\"\n\"", JsonError::malformed},
      {"\"\\x\"", JsonError::malformed},
      {"\"\\ud800\"", JsonError::malformed},
      {"\"\\udc00\"", JsonError::malformed},
      {"\"\xff\"", JsonError::malformed},
      {"\"\xed\xa0\x80\"", JsonError::malformed},
      {"\xef\xbb\xbf{}", JsonError::malformed},
      {"[1]\0"sv, JsonError::malformed},
      {"{\"a\":1,\"b\":2,\"a\":3}", JsonError::duplicate_key},
      {"[{\"x\":1,\"\\u0078\":2}]", JsonError::duplicate_key},
      {"9223372036854775808", JsonError::bad_number},
      {"18446744073709551616", JsonError::bad_number},
      {"-9223372036854775809", JsonError::bad_number},
      {"1e400", JsonError::bad_number},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    auto json = parse_json(row.text);
    REQUIRE_FALSE(json.has_value());
    CHECK_EQ(text(json.error()), text(row.error));
    CHECK(sentence(row.error).ends_with('.'));
    CHECK_EQ(sentence(row.error).find_first_of("\"\\\n"), std::string_view::npos);  // RFC 6749, 5.2 takes none of these
  }
}

TEST_CASE("size and depth are bounded") {
  CHECK_EQ(parse_json("[1,2,3]", {.bytes_max = 6}).error(), JsonError::too_large);
  CHECK(parse_json("[[[]]]", {.depth_max = 3}).has_value());
  CHECK_EQ(parse_json("[[[[]]]]", {.depth_max = 3}).error(), JsonError::too_deep);
  CHECK_EQ(parse_json("{\"a\":{\"a\":{\"a\":{}}}}", {.depth_max = 3}).error(), JsonError::too_deep);
  CHECK_EQ(parse_json(std::string(100'000, '[') + std::string(100'000, ']')).error(), JsonError::too_deep);
}

TEST_CASE("a writer puts the commas") {
  std::string out;
  JsonWriter{out}
      .begin_object()
      .member("text", "a\"b\\c\x01")
      .member("yes", true)
      .member("count", 3u)
      .member("ratio", 1.0)
      .key("list")
      .begin_array()
      .value(1)
      .begin_array()
      .end_array()
      .value(nullptr)
      .end_array()
      .key("payload")
      .raw("{ \"as\":\"is\"}")
      .end_object();
  CHECK_EQ(out,
           R"({"text":"a\"b\\c\u0001","yes":true,"count":3,"ratio":1.0,"list":[1,[],null],"payload":{ "as":"is"}})");
}

rc::Gen<Json> any_json(int depth) {
  auto leaf =
      rc::gen::oneOf(rc::gen::just(Json{}), rc::gen::map(rc::gen::arbitrary<bool>(), [](bool b) { return Json{b}; }),
                     rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t i) { return Json{i}; }),
                     rc::gen::map(rc::gen::arbitrary<double>(), [](double d) { return Json{d}; }),
                     rc::gen::map(rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127)),
                                  [](std::string s) { return Json{std::move(s)}; }));
  if (depth == 0) return leaf;
  auto items = rc::gen::container<std::vector<Json>>(rc::gen::lazy([depth] { return any_json(depth - 1); }));
  return rc::gen::oneOf(leaf, rc::gen::map(items, [](Json::Array array) { return Json{std::move(array)}; }),
                        rc::gen::map(items, [](const Json::Array& array) {
                          Json::Object object;
                          for (const auto& item : array) object.push_back({std::to_string(object.size()), item});
                          return Json{std::move(object)};
                        }));
}

TEST_CASE("what stands in a string as it is ends at the first byte that does not, wherever that stands") {
  for (int value = 0; value < 256; ++value) {
    const auto byte = static_cast<char>(value);
    const bool is_plain = value >= 0x20 && byte != '"' && byte != '\\';
    for (std::size_t size = 1; size < 20; ++size) {
      for (std::size_t at = 0; at < size; ++at) {
        for (const char around : {'a', '\x7f', '\x80', ' ', '!'}) {
          std::string text(size, around);
          text[at] = byte;
          CAPTURE(value);
          CAPTURE(at);
          CAPTURE(text);
          if (is_json_plain(text) != is_plain) FAIL("as a whole");
          if (json_plain_prefix(text) != (is_plain ? size : at)) FAIL("as a prefix");
        }
      }
    }
  }
}

TEST_CASE("whole numbers are written to their last digit") {
  std::string out;
  JsonWriter{out}
      .begin_array()
      .value(std::numeric_limits<std::int64_t>::min())
      .value(std::numeric_limits<std::uint64_t>::max())
      .value(std::int8_t{-1})
      .value(0U)
      .end_array();
  CHECK_EQ(out, "[-9223372036854775808,18446744073709551615,-1,0]");
}

TEST_CASE("any value survives being written and read") {
  CHECK(rc::check([] {
    auto json = *rc::gen::resize(20, any_json(2)).as("json");
    RC_ASSERT((parse_json(write_json(json)) == json));
  }));
}

}  // namespace
}  // namespace troupe::wire
