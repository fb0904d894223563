// See colour.h. The constants are those of the definition of relative luminance in WCAG 2.2.
#include "troupe/oauth/model/colour.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace troupe::oauth {
namespace {

std::optional<std::uint8_t> part_of(std::string_view digits) noexcept {
  std::uint8_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value, 16);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return value;
}

/// The share of the light that a part of a colour stands for.
double light_of(std::uint8_t part) noexcept {
  const double share = part / 255.0;
  return share <= 0.04045 ? share / 12.92 : std::pow((share + 0.055) / 1.055, 2.4);
}

double luminance(const Colour& colour) noexcept {
  return 0.2126 * light_of(colour.red) + 0.7152 * light_of(colour.green) + 0.0722 * light_of(colour.blue);
}

}  // namespace

std::optional<Colour> Colour::parse(std::string_view text) noexcept {
  if (text.size() != 7 || text[0] != '#') return std::nullopt;
  const auto red = part_of(text.substr(1, 2));
  const auto green = part_of(text.substr(3, 2));
  const auto blue = part_of(text.substr(5, 2));
  if (!red || !green || !blue) return std::nullopt;
  return Colour{*red, *green, *blue};
}

std::string Colour::text() const { return fmt::format("#{:02x}{:02x}{:02x}", red, green, blue); }

double contrast(const Colour& one, const Colour& other) noexcept {
  constexpr double flare = 0.05;  // the light of the room on the screen
  const auto [darker, lighter] = std::minmax({luminance(one), luminance(other)});
  return (lighter + flare) / (darker + flare);
}

}  // namespace troupe::oauth
