// Cookies as a server reads them (RFC 6265, 4.2): the Cookie header as names and values.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace troupe::wire {

struct CookiePair {
  std::string_view name;
  std::string_view value;  // without the quotes that may surround it

  friend bool operator==(const CookiePair&, const CookiePair&) = default;
};

/// The pairs of a Cookie header in their order; pieces that are no pair, or hold characters that no cookie may
/// hold, are left out. The views point into `header`.
std::vector<CookiePair> parse_cookies(std::string_view header);

/// The value of the first cookie of that name. The view points into `header`.
std::optional<std::string_view> find_cookie(std::string_view header, std::string_view name);

}  // namespace troupe::wire
