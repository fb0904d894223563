// What an address that asks too often is told at the paths of the authorization server, before any of them is reached.
#pragma once

#include <optional>

#include "troupe/web/message.h"

namespace troupe::oauth {

/// 429 as the path's readers understand it: an error of OAuth (RFC 6749, section 5.2), or a page for people. Nothing
/// for paths that are not of this server. The caller adds Retry-After.
std::optional<web::Response> too_many_requests(const web::Request& http);

}  // namespace troupe::oauth
