// Moments: what is read, and what is not.
#include "troupe/app/command/moment.h"

#include <doctest/doctest.h>

namespace troupe::app {
namespace {

TEST_CASE("a moment is a day, a time of it, or so long ago; everything else is none") {
  constexpr base::UnixTime now{1'700'000'000'000};  // 2023-11-14 22:13:20
  struct Row {
    std::string_view text;
    std::optional<std::int64_t> seconds;
  };
  constexpr Row rows[] = {
      {"2023-11-14", 1'699'920'000},
      {"2023-11-14T22:13:20Z", 1'700'000'000},
      {"2023-11-14 22:13", 1'699'999'980},
      {"2024-02-29", 1'709'164'800},
      {"20s", 1'699'999'980},
      {"2min", 1'699'999'880},
      {"2m", 1'699'999'880},
      {"1h30m", 1'699'994'600},
      {"1h", 1'699'996'400},
      {"1d", 1'699'913'600},
      {"", std::nullopt},
      {"2023-02-29", std::nullopt},
      {"2023-13-01", std::nullopt},
      {"2023-11-14T24:00", std::nullopt},
      {"2023-11-14T22:13:20 ", std::nullopt},
      {"2023-11-14Z", std::nullopt},
      {"-1h", std::nullopt},
      {"+023-01-01", std::nullopt},
      {"1", std::nullopt},
      {"99999999999d", std::nullopt},
      {"yesterday", std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto read = read_moment(row.text, now);
    CHECK_EQ(read ? std::optional{read->seconds()} : std::nullopt, row.seconds);
  }
}

}  // namespace
}  // namespace troupe::app
