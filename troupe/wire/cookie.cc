// Cookies: pieces between ';', split at the first '='.
#include "troupe/wire/cookie.h"

#include <algorithm>

#include "troupe/wire/ascii.h"

namespace troupe::wire {
namespace {

/// cookie-octet of RFC 6265, 4.1.1, and the characters beside it that browsers send all the same.
bool is_value(std::string_view value) {
  return std::ranges::none_of(value, [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte >= 0x7f || c == '"' || c == ';';
  });
}

}  // namespace

std::vector<CookiePair> parse_cookies(std::string_view header) {
  std::vector<CookiePair> pairs;
  while (!header.empty()) {
    std::string_view piece = header.substr(0, header.find(';'));
    header.remove_prefix(std::min(piece.size() + 1, header.size()));
    std::size_t equals = piece.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view name = trim(piece.substr(0, equals));
    std::string_view value = trim(piece.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (is_token(name) && is_value(value)) pairs.push_back({name, value});
  }
  return pairs;
}

std::optional<std::string_view> find_cookie(std::string_view header, std::string_view name) {
  for (const auto& pair : parse_cookies(header)) {
    if (pair.name == name) return pair.value;
  }
  return std::nullopt;
}

}  // namespace troupe::wire
