// Conditional requests (RFC 9110, section 13): whether a reader has what it asks for already.
#pragma once

#include <cstdint>
#include <string_view>

#include "troupe/web/message.h"

namespace troupe::web {

/// Whether If-None-Match names this entity tag ("\"abc\"", its quotes included), or every one ("*"): then 304 is the
/// answer to a GET. Tags are compared weakly, W/"abc" as "abc" (sections 8.8.3.2 and 13.1.2).
bool is_known(const Request& request, std::string_view etag) noexcept;

/// What If-Match says of a change to what bears this entity tag (section 13.1.1): nobody has said anything, it is the
/// one that was seen ("*" has seen any), or it has changed since. Tags are compared strongly: W/"abc" is no match.
enum class Seen : std::uint8_t { unsaid, same, other };
Seen seen(const Request& request, std::string_view etag) noexcept;

}  // namespace troupe::web
