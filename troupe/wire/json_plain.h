// What of a text stands in a JSON string as it is (RFC 8259, 7), seen eight bytes at a time, and what becomes of the
// rest.
//
// Pure; for those who write JSON strings and those who check them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace troupe::wire {

/// Neither a control character nor a quote nor a backslash.
constexpr bool is_json_plain(char c) noexcept { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

/// The same of all eight bytes of a word: no byte below 0x20, none that is zero after a quote or a backslash was taken
/// off it. Exact as a whole, though not by byte.
constexpr bool is_json_plain(std::uint64_t word) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
  const auto quotes = word ^ (ones * '"');
  const auto backslashes = word ^ (ones * '\\');
  return ((((word - ones * 0x20) & ~word) | ((quotes - ones) & ~quotes) | ((backslashes - ones) & ~backslashes)) &
          tops) == 0;
}

/// Whether all of `text` stands in a JSON string as it is. Two words that overlap cover what is no whole number of
/// words.
inline bool is_json_plain(std::string_view text) noexcept {
  const auto word_at = [&](std::size_t at) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof word);
    return word;
  };
  const auto half_at = [&](std::size_t at) {
    std::uint32_t half;
    std::memcpy(&half, text.data() + at, sizeof half);
    return std::uint64_t{half};
  };
  const std::size_t size = text.size();
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8)
      if (!is_json_plain(word_at(at))) return false;
    return is_json_plain(word_at(size - 8));
  }
  if (size >= 4) return is_json_plain(half_at(0) | half_at(size - 4) << 32);
  for (const char c : text)
    if (!is_json_plain(c)) return false;
  return true;
}

/// How many bytes at the front of `text` stand in a JSON string as they are.
inline std::size_t json_plain_prefix(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at + 8 <= text.size() && is_json_plain(text.substr(at, 8))) at += 8;
  while (at < text.size() && is_json_plain(text[at])) ++at;
  return at;
}

std::size_t escaped_json_string_size(std::string_view text) noexcept;
char* write_escaped_json_string(char* at, std::string_view text) noexcept;

/// How many bytes a text in UTF-8 takes as a JSON string, with its quotes and with what must be escaped in it.
inline std::size_t json_string_size(std::string_view text) noexcept {
  return is_json_plain(text) ? text.size() + 2 : escaped_json_string_size(text);
}

/// Writes it as a JSON string, which takes `size` bytes, and gives where they end.
inline char* write_json_string(char* at, std::size_t size, std::string_view text) noexcept {
  if (size != text.size() + 2) [[unlikely]]
    return write_escaped_json_string(at, text);
  *at++ = '"';
  at = std::copy(text.begin(), text.end(), at);
  *at++ = '"';
  return at;
}

}  // namespace troupe::wire
