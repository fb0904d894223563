// See value.h for the forms. Every number is checked for overflow before it is used.
#include "troupe/app/config/value.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <optional>

namespace troupe::app {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t size;
};

constexpr Unit time_units[] = {{"d", 86'400'000'000'000},
                               {"h", 3'600'000'000'000},
                               {"m", 60'000'000'000},
                               {"s", 1'000'000'000},
                               {"ms", 1'000'000},
                               {"us", 1'000},
                               {"ns", 1}};
constexpr Unit byte_units[] = {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}};

constexpr std::string_view wants_duration = "wants a duration such as \"250ms\", \"10m\" or \"1h30m\"";
constexpr std::string_view wants_bytes = "wants a size such as 4096, \"64KiB\" or \"1MiB\"";
constexpr std::string_view wants_listen = "wants an address and a port such as \"127.0.0.1:8080\" or \"[::1]:8080\"";

/// Takes the digits at the front of `text`; nothing when there are none or they are too many.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::string_view take_letters(std::string_view& text) {
  const auto letters = text.substr(0, text.find_first_of("0123456789"));
  text.remove_prefix(letters.size());
  return letters;
}

std::unexpected<Complaint> complain(std::string_view what) { return std::unexpected(Complaint{what}); }

}  // namespace

std::expected<base::Duration, Complaint> parse_duration(std::string_view text) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::int64_t total = 0;
  const Unit* next = std::begin(time_units);
  if (text.empty()) return complain(wants_duration);
  while (!text.empty()) {
    const auto number = take_number(text);
    const auto name = take_letters(text);
    const auto* unit = std::find_if(next, std::end(time_units), [&](const Unit& u) { return u.name == name; });
    if (!number || unit == std::end(time_units)) return complain(wants_duration);
    if (*number > (most - total) / unit->size) return complain("is longer than 292 years");
    total += *number * unit->size;
    next = unit + 1;
  }
  return base::Duration{total};
}

std::string duration_text(base::Duration duration) {
  std::int64_t rest = duration.count();
  std::string text;
  for (const Unit& unit : time_units) {
    if (rest / unit.size > 0) text += fmt::format("{}{}", rest / unit.size, unit.name);
    rest %= unit.size;
  }
  return text.empty() ? "0s" : text;
}

std::expected<std::size_t, Complaint> parse_bytes(std::string_view text) {
  const auto number = take_number(text);
  if (text.empty()) text = "B";
  const auto* unit = std::ranges::find(byte_units, text, &Unit::name);
  if (!number || unit == std::end(byte_units)) return complain(wants_bytes);
  if (*number > std::numeric_limits<std::int64_t>::max() / unit->size) return complain("is too large");
  return static_cast<std::size_t>(*number * unit->size);
}

std::string bytes_text(std::size_t bytes) {
  const auto fits = [&](const Unit& unit) { return bytes % static_cast<std::size_t>(unit.size) == 0; };
  const auto* unit = bytes == 0 ? std::end(byte_units) - 1 : std::ranges::find_if(byte_units, fits);
  if (unit->size == 1) return fmt::format("{}", bytes);
  return fmt::format("{}{}", bytes / static_cast<std::size_t>(unit->size), unit->name);
}

std::expected<net::PeerAddress, Complaint> parse_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return complain(wants_listen);
  std::string_view host = text.substr(0, colon), port_text = text.substr(colon + 1);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";

  const auto ip = net::IpAddress::parse(host);
  if (!ip || bracketed == ip->is_v4()) return complain(wants_listen);
  const auto port = take_number(port_text);
  if (!port || !port_text.empty()) return complain(wants_listen);
  if (*port > 65535) return complain("has a port above 65535");
  return net::PeerAddress{*ip, static_cast<std::uint16_t>(*port)};
}

}  // namespace troupe::app
