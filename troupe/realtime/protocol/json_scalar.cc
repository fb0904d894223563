// The grammar of JSON scalars, written out.
#include "troupe/realtime/protocol/json_scalar.h"

#include <cstdint>

#include "troupe/wire/json_plain.h"

namespace troupe::realtime {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Takes digits off the front; gives how many there were.
std::size_t take_digits(std::string_view& rest) {
  std::size_t count = 0;
  while (count < rest.size() && is_digit(rest[count])) ++count;
  rest.remove_prefix(count);
  return count;
}

bool take(std::string_view& rest, char c) {
  if (!rest.starts_with(c)) return false;
  rest.remove_prefix(1);
  return true;
}

bool is_number(std::string_view rest) {
  take(rest, '-');
  if (!take(rest, '0') && take_digits(rest) == 0) return false;
  if (take(rest, '.') && take_digits(rest) == 0) return false;
  if (take(rest, 'e') || take(rest, 'E')) {
    if (!take(rest, '+')) take(rest, '-');
    if (take_digits(rest) == 0) return false;
  }
  return rest.empty();
}

// The escape after a backslash, whose first character is at the front.
bool take_escape(std::string_view& rest) {
  if (rest.empty()) return false;
  char kind = rest.front();
  rest.remove_prefix(1);
  if (kind != 'u') return std::string_view{"\"\\/bfnrt"}.find(kind) != std::string_view::npos;
  for (int i = 0; i < 4; ++i) {
    if (rest.empty() || !is_hex(rest.front())) return false;
    rest.remove_prefix(1);
  }
  return true;
}

bool is_string(std::string_view rest) {
  if (!take(rest, '"')) return false;
  // Nearly all of them: nothing but what stands for itself.
  if (rest.ends_with('"') && wire::is_json_plain(rest.substr(0, rest.size() - 1))) return true;
  for (;;) {
    rest.remove_prefix(wire::json_plain_prefix(rest));
    if (take(rest, '"')) return rest.empty();
    if (!take(rest, '\\') || !take_escape(rest)) return false;  // a control character, or no end
  }
}

}  // namespace

bool is_json_scalar(std::string_view token) noexcept {
  if (token.starts_with('"')) return is_string(token);
  return token == "true" || token == "false" || token == "null" || is_number(token);
}

std::optional<std::string_view> plain_json_string(std::string_view token) noexcept {
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return std::nullopt;
  const auto text = token.substr(1, token.size() - 2);
  return text.find('\\') == std::string_view::npos ? std::optional{text} : std::nullopt;
}

}  // namespace troupe::realtime
