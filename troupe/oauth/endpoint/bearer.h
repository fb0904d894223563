// The access token of a request's Authorization header, as every endpoint here reads it.
#pragma once

#include <expected>
#include <optional>

#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/web/message.h"

namespace troupe::oauth {

/// The token; nothing where there is no such header, or one of another scheme, such as the credentials of a client.
/// Errors: invalid_request where the header comes twice or is malformed (RFC 6750, section 3.1).
std::expected<std::optional<TokenText>, OauthError> bearer_of(const web::Request& http);

}  // namespace troupe::oauth
