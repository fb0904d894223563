// See colour.h. The constants are those of the definition of relative luminance in WCAG 2.2.
#include "troupe/oauth/model/colour.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "troupe/wire/hex.h"

namespace troupe::oauth {
namespace {

/// The share of the light that a part of a colour stands for.
double light_of(std::uint8_t part) noexcept {
  const double share = part / 255.0;
  return share <= 0.04045 ? share / 12.92 : std::pow((share + 0.055) / 1.055, 2.4);
}

double luminance(const Colour& colour) noexcept {
  return 0.2126 * light_of(colour.red) + 0.7152 * light_of(colour.green) + 0.0722 * light_of(colour.blue);
}

}  // namespace

std::optional<Colour> Colour::parse(std::string_view text) {
  if (text.size() != 7 || text[0] != '#') return std::nullopt;
  const auto parts = wire::from_hex(text.substr(1));
  if (!parts) return std::nullopt;
  const auto part = [&](std::size_t at) { return static_cast<std::uint8_t>((*parts)[at]); };
  return Colour{part(0), part(1), part(2)};
}

std::string Colour::text() const { return fmt::format("#{:02x}{:02x}{:02x}", red, green, blue); }

double contrast(const Colour& one, const Colour& other) noexcept {
  constexpr double flare = 0.05;  // the light of the room on the screen
  const auto [darker, lighter] = std::minmax({luminance(one), luminance(other)});
  return (lighter + flare) / (darker + flare);
}

}  // namespace troupe::oauth
