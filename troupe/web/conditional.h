// Conditional requests (RFC 9110, section 13): whether a reader has what it asks for already.
#pragma once

#include <string_view>

#include "troupe/web/message.h"

namespace troupe::web {

/// Whether If-None-Match names this entity tag ("\"abc\"", its quotes included), or every one ("*"): then 304 is the
/// answer to a GET. Tags are compared weakly, W/"abc" as "abc" (sections 8.8.3.2 and 13.1.2).
bool is_known(const Request& request, std::string_view etag) noexcept;

}  // namespace troupe::web
