// ShortId: an id of at most fifteen characters, within two words and without memory of its own: what each connection
// stands under in half a dozen tables.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/base/check.h"

namespace troupe::realtime {

class ShortId {
 public:
  static constexpr std::size_t characters_max = 15;

  ShortId() = default;
  /// Of at most fifteen characters: one of ours. What others say is read by parse().
  ShortId(std::string_view text) : size_(static_cast<std::uint8_t>(text.size())) {
    INVARIANT(text.size() <= characters_max, "an id is short");
    std::ranges::copy(text, characters_.begin());
  }
  ShortId(const std::string& text) : ShortId(std::string_view{text}) {}
  ShortId(const char* text) : ShortId(std::string_view{text}) {}

  /// Nothing for what is too long to be one.
  static std::optional<ShortId> parse(std::string_view text) {
    return text.size() <= characters_max ? std::optional{ShortId{text}} : std::nullopt;
  }

  std::string_view view() const noexcept { return {characters_.data(), size_}; }
  operator std::string_view() const noexcept { return view(); }
  bool empty() const noexcept { return size_ == 0; }

  friend bool operator==(const ShortId&, const ShortId&) = default;
  friend auto operator<=>(const ShortId&, const ShortId&) = default;

 private:
  std::array<char, characters_max> characters_{};
  std::uint8_t size_ = 0;
};

}  // namespace troupe::realtime

template <>
struct std::hash<troupe::realtime::ShortId> {
  std::size_t operator()(const troupe::realtime::ShortId& id) const noexcept {
    return std::hash<std::string_view>{}(id.view());
  }
};
