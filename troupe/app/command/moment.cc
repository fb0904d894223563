// See moment.h.
#include "troupe/app/command/moment.h"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "troupe/app/config/value.h"

namespace troupe::app {
namespace {

using namespace std::chrono;

/// A number of exactly so many digits at the front of `rest`, which then goes on behind it.
std::optional<int> take_number(std::string_view& rest, std::size_t digits) {
  if (rest.size() < digits) return std::nullopt;
  int number = 0;
  const char* end = rest.data() + digits;
  if (*rest.data() < '0' || *rest.data() > '9') return std::nullopt;  // no sign
  if (const auto [stop, error] = std::from_chars(rest.data(), end, number); error != std::errc{} || stop != end)
    return std::nullopt;
  rest.remove_prefix(digits);
  return number;
}

bool take(std::string_view& rest, char wanted) {
  if (!rest.starts_with(wanted)) return false;
  rest.remove_prefix(1);
  return true;
}

std::optional<sys_days> take_day(std::string_view& rest) {
  const auto y = take_number(rest, 4);
  if (!y || !take(rest, '-')) return std::nullopt;
  const auto m = take_number(rest, 2);
  if (!m || !take(rest, '-')) return std::nullopt;
  const auto d = take_number(rest, 2);
  if (!d) return std::nullopt;
  const year_month_day day{year{*y}, month{static_cast<unsigned>(*m)}, std::chrono::day{static_cast<unsigned>(*d)}};
  if (!day.ok()) return std::nullopt;
  return sys_days{day};
}

std::optional<seconds> take_time_of_day(std::string_view& rest) {
  const auto h = take_number(rest, 2);
  if (!h || *h > 23 || !take(rest, ':')) return std::nullopt;
  const auto m = take_number(rest, 2);
  if (!m || *m > 59) return std::nullopt;
  std::optional<int> s = 0;
  if (take(rest, ':')) s = take_number(rest, 2);
  if (!s || *s > 59) return std::nullopt;
  return hours{*h} + minutes{*m} + seconds{*s};
}

std::optional<base::UnixTime> read_point(std::string_view text) {
  const auto day = take_day(text);
  if (!day) return std::nullopt;
  seconds within{0};
  if (take(text, 'T') || take(text, ' ')) {
    const auto time = take_time_of_day(text);
    if (!time) return std::nullopt;
    within = *time;
    (void)take(text, 'Z');
  }
  if (!text.empty()) return std::nullopt;
  return base::UnixTime{duration_cast<milliseconds>(day->time_since_epoch() + within).count()};
}

/// As everywhere; "min" for minutes too, which may not be told from months at a glance.
std::optional<base::Duration> read_span(std::string_view text) {
  std::string usual{text};
  if (usual.ends_with("min")) usual.resize(usual.size() - 2);
  const auto span = parse_duration(usual);
  return span ? std::optional{*span} : std::nullopt;
}

}  // namespace

std::optional<base::UnixTime> read_moment(std::string_view text, base::UnixTime now) {
  if (const auto span = read_span(text)) return now - *span;
  return read_point(text);
}

}  // namespace troupe::app
