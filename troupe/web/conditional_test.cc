// Conditional requests: which entity tags a reader says that it has.
#include "troupe/web/conditional.h"

#include <doctest/doctest.h>

namespace troupe::web {
namespace {

TEST_CASE("a tag is known where the header names it, in a list or weakly, or names every one") {
  struct Row {
    const char* header;
    bool known;
  };
  constexpr Row rows[] = {
      {"\"abc\"", true},
      {"W/\"abc\"", true},
      {"*", true},
      {" * ", true},
      {"\"x\", \"abc\"", true},
      {"\"x\",,W/\"abc\" ", true},
      {"\"ab,c\"", false},
      {"\"x\", \"y\"", false},
      {"abc", false},
      {"\"abc", false},
      {"", false},
      {"w/\"abc\"", false},
      {"\"x\" abc \"abc\"", false},
      {"\"ABC\"", false},
      {"W/", false},
  };
  for (const auto& [header, known] : rows) {
    CAPTURE(header);
    CHECK_EQ(is_known({.headers = {{"If-None-Match", header}}}, "\"abc\""), known);
  }
  CHECK_FALSE(is_known({}, "\"abc\""));
  CHECK(is_known({.headers = {{"if-none-match", "\"x\""}, {"If-None-Match", "\"abc\""}}}, "\"abc\""));
}

TEST_CASE("a change goes to what was seen: by its tag, strongly, in a list, or whatever it is") {
  struct Row {
    const char* header;
    Seen wanted;
  };
  constexpr Row rows[] = {
      {"\"abc\"", Seen::same}, {"*", Seen::same},    {"\"x\", \"abc\"", Seen::same},   {"W/\"abc\"", Seen::other},
      {"", Seen::other},       {"abc", Seen::other}, {"\"x\",W/\"abc\"", Seen::other}, {"\"abc", Seen::other},
  };
  for (const auto& [header, wanted] : rows) {
    CAPTURE(header);
    CHECK_EQ(seen({.headers = {{"if-match", header}}}, "\"abc\""), wanted);
  }
  CHECK_EQ(seen({}, "\"abc\""), Seen::unsaid);
  CHECK_EQ(seen({.headers = {{"If-None-Match", "\"abc\""}}}, "\"abc\""), Seen::unsaid);
}

}  // namespace
}  // namespace troupe::web
