// What is refused at the paths of the authorization server before any endpoint is reached, in the manner of the path:
// an error of OAuth (RFC 6749, section 5.2), or a page where a browser shows what comes. Nobody may keep either.
#pragma once

#include <optional>

#include "troupe/web/message.h"

namespace troupe::oauth {

/// 429 for an address that asks too often. Nothing for paths that are not of this server. The caller adds Retry-After.
std::optional<web::Response> too_many_requests(const web::Request& http);

/// 413 for a body that is over the limit of its path.
web::Response too_large_body(const web::Request& http);

}  // namespace troupe::oauth
