// JSON strings whose text does not stand in them as it is.
#include "troupe/wire/json_plain.h"

#include <algorithm>

namespace troupe::wire {

namespace {

// What a short escape has behind its backslash; zero for what has none.
constexpr char short_escape_of(char c) noexcept {
  switch (c) {
    case '"':
    case '\\':
      return c;
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return '\0';
  }
}

char* write_escape(char* at, char c) noexcept {
  constexpr std::string_view digits = "0123456789abcdef";
  *at++ = '\\';
  if (const char behind = short_escape_of(c); behind != 0) {
    *at++ = behind;
    return at;
  }
  const auto byte = static_cast<unsigned char>(c);
  at = std::ranges::copy(std::string_view{"u00"}, at).out;
  *at++ = digits[byte >> 4];
  *at++ = digits[byte & 15];
  return at;
}

}  // namespace

std::size_t escaped_json_string_size(std::string_view text) noexcept {
  constexpr std::size_t long_escape = 6;
  std::size_t size = 2;
  for (const char c : text) size += is_json_plain(c) ? 1 : short_escape_of(c) != 0 ? 2 : long_escape;
  return size;
}

char* write_escaped_json_string(char* at, std::string_view text) noexcept {
  *at++ = '"';
  for (auto plain = json_plain_prefix(text); plain < text.size(); plain = json_plain_prefix(text)) {
    at = std::ranges::copy(text.substr(0, plain), at).out;
    at = write_escape(at, text[plain]);
    text.remove_prefix(plain + 1);
  }
  at = std::ranges::copy(text, at).out;
  *at++ = '"';
  return at;
}

}  // namespace troupe::wire
