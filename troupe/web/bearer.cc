// See bearer.h.
#include "troupe/web/bearer.h"

#include <algorithm>

#include "troupe/wire/ascii.h"

namespace troupe::web {

std::expected<std::optional<std::string_view>, BearerFault> bearer_token(const Request& request) {
  const std::size_t count = request.headers.count("Authorization");
  if (count == 0) return std::nullopt;
  if (count > 1) return std::unexpected(BearerFault::repeated);
  const std::string_view header = wire::trim(request.header("Authorization"));
  const std::size_t end = std::min(header.find_first_of(" \t"), header.size());
  if (header.empty()) return std::unexpected(BearerFault::malformed);
  if (!wire::equal_ignoring_case(header.substr(0, end), "bearer")) return std::unexpected(BearerFault::other_scheme);
  const std::string_view token = wire::trim(header.substr(end));
  if (token.empty() || token.find_first_of(" \t") != std::string_view::npos) {
    return std::unexpected(BearerFault::malformed);
  }
  return token;
}

}  // namespace troupe::web
