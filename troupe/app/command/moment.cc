// See moment.h.
#include "troupe/app/command/moment.h"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>

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

std::optional<seconds> read_span(std::string_view text) {
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  constexpr std::uint32_t count_max = 10'000'000;
  if (error != std::errc{} || count > count_max) return std::nullopt;
  const std::string_view unit{end, text.data() + text.size()};
  if (unit == "s") return seconds{count};
  if (unit == "min") return minutes{count};
  if (unit == "h") return hours{count};
  if (unit == "d") return days{count};
  return std::nullopt;
}

}  // namespace

std::optional<base::UnixTime> read_moment(std::string_view text, base::UnixTime now) {
  if (const auto span = read_span(text)) return now - *span;
  return read_point(text);
}

}  // namespace troupe::app
