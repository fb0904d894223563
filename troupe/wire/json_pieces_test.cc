// Pieces of JSON: what is written at once reads like what a writer writes, whatever the texts are.
#include "troupe/wire/json_pieces.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <limits>

#include "troupe/wire/json.h"

namespace troupe::wire {
namespace {

using namespace std::string_view_literals;

TEST_CASE("pieces stand behind each other: code as it is, texts in quotes, numbers in digits") {
  std::string out = "before ";
  append_json(out, R"({"a":)"_json, "text"sv, R"(,"b":)"_json, std::uint64_t{0}, ","_json,
              std::numeric_limits<std::uint64_t>::max(), "}"_json);
  CHECK_EQ(out, R"(before {"a":"text","b":0,18446744073709551615})");
}

TEST_CASE("whatever the texts are, pieces say what a writer says") {
  CHECK(rc::check("the same text", [](const std::string& before, std::uint64_t number) {
    const auto text = *rc::gen::string<std::string>();
    std::string pieces = before, written = before;
    append_json(pieces, R"({"text":)"_json, std::string_view{text}, R"(,"number":)"_json, number, "}"_json);
    JsonWriter{written}.begin_object().member("text", text).member("number", number).end_object();
    RC_ASSERT(pieces == written);
  }));
}

}  // namespace
}  // namespace troupe::wire
