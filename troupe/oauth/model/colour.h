// Colour: what stands on a screen, and how well two of them are told apart (WCAG 2.2, 1.4.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::oauth {

struct Colour {
  std::uint8_t red = 0, green = 0, blue = 0;

  /// Reads "#1f4fbf": six digits, nothing shorter and no name.
  static std::optional<Colour> parse(std::string_view text);
  /// The same, in small letters.
  std::string text() const;

  friend bool operator==(const Colour&, const Colour&) = default;
};

/// The contrast ratio of two colours, from 1 (the same) to 21 (black and white).
double contrast(const Colour& one, const Colour& other) noexcept;

}  // namespace troupe::oauth
