// Durations, sizes and addresses as an operator writes them.
#include "troupe/app/config/value.h"

#include <doctest/doctest.h>

using namespace troupe::app;
using namespace std::chrono_literals;
using troupe::base::Duration;

TEST_CASE("durations are read with their units, biggest first") {
  struct Row {
    std::string_view text;
    std::optional<Duration> value;
  };
  const Row rows[] = {
      {"10m", 10min},
      {"1h30m", 90min},
      {"250ms", 250ms},
      {"14d", 14 * 24h},
      {"0s", 0s},
      {"1us1ns", 1001ns},
      {"", std::nullopt},
      {"10", std::nullopt},
      {"m", std::nullopt},
      {"-1s", std::nullopt},
      {"1.5s", std::nullopt},
      {"1 s", std::nullopt},
      {"30m1h", std::nullopt},
      {"1s1s", std::nullopt},
      {"9999999999d", std::nullopt},
      {"1M", std::nullopt},
      {"10m ", std::nullopt},
      {"99999999999999999999s", std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto value = parse_duration(row.text);
    CHECK_EQ(value.has_value(), row.value.has_value());
    if (value && row.value) CHECK(*value == *row.value);
  }
}

TEST_CASE("a duration that is written reads back") {
  for (const Duration d :
       {Duration{0}, Duration{90s}, Duration{14 * 24h}, Duration{1234567890123ns}, Duration::max()}) {
    const auto text = duration_text(d);
    CAPTURE(text);
    CHECK(parse_duration(text) == d);
  }
  CHECK_EQ(duration_text(90s), "1m30s");
}

TEST_CASE("sizes are read with binary units") {
  struct Row {
    std::string_view text;
    std::optional<std::size_t> value;
  };
  const Row rows[] = {
      {"0", 0},
      {"4096", 4096},
      {"64KiB", 65'536},
      {"1MiB", 1'048'576},
      {"2GiB", 1UL << 31},
      {"7B", 7},
      {"", std::nullopt},
      {"MiB", std::nullopt},
      {"1MB", std::nullopt},
      {"-1", std::nullopt},
      {"1 MiB", std::nullopt},
      {"9999999999999GiB", std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto value = parse_bytes(row.text);
    CHECK_EQ(value.has_value(), row.value.has_value());
    if (value && row.value) CHECK_EQ(*value, *row.value);
  }
  for (const std::size_t bytes : {0UL, 1UL, 1024UL, 1025UL, 1048576UL, 3UL << 30})
    CHECK(parse_bytes(bytes_text(bytes)) == bytes);
}

TEST_CASE("an address to listen on has an IP and a port") {
  struct Row {
    std::string_view text, value;
  };
  const Row rows[] = {
      {"127.0.0.1:8080", "127.0.0.1:8080"},
      {"[::1]:80", "[::1]:80"},
      {"localhost:0", "127.0.0.1:0"},
      {"0.0.0.0:65535", "0.0.0.0:65535"},
      {"127.0.0.1", ""},
      {"127.0.0.1:", ""},
      {"127.0.0.1:65536", ""},
      {"127.0.0.1:http", ""},
      {":8080", ""},
      {"::1:80", ""},
      {"[127.0.0.1]:80", ""},
      {"example.org:80", ""},
      {"127.0.0.1:8080x", ""},
      {"127.0.0.1:-1", ""},
      {"", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto value = parse_listen(row.text);
    CHECK_EQ(value ? value->text() : "", row.value);
    if (!value) CHECK(value.error().size() > 10);
  }
}
