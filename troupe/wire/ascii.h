// ASCII, as protocols mean it: classes, case and hexadecimal digits that no locale changes.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace troupe::wire {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_alphanumeric(char c) noexcept { return is_digit(c) || is_letter(c); }
constexpr char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// The value of a hexadecimal digit, or -1.
constexpr int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Appends `byte` as %XX.
inline void append_percent(std::string& out, char byte) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  auto value = static_cast<unsigned char>(byte);
  out += {'%', digits[value >> 4], digits[value & 15]};
}

inline std::string to_lower(std::string_view text) {
  std::string lower{text};
  for (char& c : lower) c = to_lower(c);
  return lower;
}

/// Whether two texts are the same but for the case of ASCII letters.
constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

/// `text` without spaces and tabs at its ends (the optional white space of HTTP, RFC 9110, 5.6.3).
constexpr std::string_view trim(std::string_view text) noexcept {
  auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// Whether `token` is in the comma-separated `list`, without regard to case.
constexpr bool lists_token(std::string_view list, std::string_view token) noexcept {
  while (!list.empty()) {
    std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(item.size() < list.size() ? item.size() + 1 : list.size());
    if (equal_ignoring_case(trim(item), token)) return true;
  }
  return false;
}

/// A set of characters, asked by one look at a table.
class CharacterSet {
 public:
  /// Letters, digits and these.
  explicit constexpr CharacterSet(std::string_view marks, std::string_view more = {}) noexcept {
    for (int c = 0; c < 128; ++c) has_[static_cast<std::size_t>(c)] = is_alphanumeric(static_cast<char>(c));
    for (const unsigned char c : marks) has_[c] = true;
    for (const unsigned char c : more) has_[c] = true;
  }
  constexpr bool contains(char c) const noexcept { return has_[static_cast<unsigned char>(c)]; }

 private:
  std::array<bool, 256> has_{};
};

inline constexpr CharacterSet token_characters{"!#$%&'*+-.^_`|~"};

/// A token character of HTTP (RFC 9110, 5.6.2).
constexpr bool is_token_character(char c) noexcept { return token_characters.contains(c); }

/// Whether `text` is a token: one or more token characters.
constexpr bool is_token(std::string_view text) noexcept {
  for (char c : text) {
    if (!is_token_character(c)) return false;
  }
  return !text.empty();
}

/// Whether a control character but tab stands in `text`. All of it is looked at, many at a time.
constexpr bool has_control(std::string_view text) noexcept {
  bool found = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    found |= ((byte < 0x20) & (byte != '\t')) | (byte == 0x7f);
  }
  return found;
}

}  // namespace troupe::wire
