// What the server's codes mean to us.
#include "troupe/store/postgres/sqlstate.h"

#include <doctest/doctest.h>

namespace troupe::store {
namespace {

TEST_CASE("a code is a conflict, a busy or absent database, or a wrong statement") {
  struct Example {
    const char* state;
    Failure failure;
    bool ends;
  };
  constexpr Example examples[] = {
      {"23505", Failure::conflict, false},    {"23503", Failure::conflict, false},
      {"40001", Failure::busy, false},        {"40P01", Failure::busy, false},
      {"40003", Failure::unknown, false},     {"55P03", Failure::busy, false},
      {"57014", Failure::busy, false},        {"53300", Failure::busy, false},
      {"53100", Failure::unavailable, false}, {"57P01", Failure::unavailable, true},
      {"57P03", Failure::unavailable, true},  {"08006", Failure::unavailable, true},
      {"08P01", Failure::wrong_use, false},   {"25006", Failure::unavailable, false},
      {"25P02", Failure::wrong_use, false},   {"42P01", Failure::wrong_use, false},
      {"42501", Failure::unavailable, false}, {"22P02", Failure::wrong_use, false},
      {"XX000", Failure::unavailable, false}, {"", Failure::unavailable, false},
  };
  for (const Example& example : examples) {
    CAPTURE(example.state);
    CHECK_EQ(failure_of(example.state), example.failure);
    CHECK_EQ(ends_connection(example.state), example.ends);
  }
  CHECK(may_show_values("22P02"));
  CHECK_FALSE(may_show_values("23505"));
}

TEST_CASE("a code is a number of its own") {
  CHECK_EQ(number_of(""), 0);
  CHECK_EQ(number_of("0000Z"), 35);
  CHECK_EQ(number_of("ZZZZZ"), 60466175);
}

}  // namespace
}  // namespace troupe::store
