// Bearer: the access token in a request's Authorization header (RFC 6750, section 2.1).
//
// A header that is there and holds no token is not the same as no header: whoever sends one
// wants to be known by it, and is told that this failed instead of being taken for nobody.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "troupe/web/message.h"

namespace troupe::web {

enum class BearerFault : std::uint8_t {
  repeated,      // the header comes more than once
  other_scheme,  // Basic and the like: credentials, but no token
  malformed,     // an empty header, no token behind the scheme, or more than one word
};

/// The token of the header, valid as long as the request; nothing where there is no such header. The scheme's name
/// is read without regard to case; what the token is worth is for others to say.
std::expected<std::optional<std::string_view>, BearerFault> bearer_token(const Request& request);

}  // namespace troupe::web
