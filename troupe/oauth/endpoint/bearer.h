// The access token of a request's Authorization header, as every endpoint here reads it.
#pragma once

#include <expected>
#include <optional>

#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/options.h"
#include "troupe/oauth/model/token.h"
#include "troupe/web/message.h"

namespace troupe::oauth {

/// The token; nothing where there is no such header, or one of another scheme, such as the credentials of a client.
/// Errors: invalid_request where the header comes twice or is malformed (RFC 6750, section 3.1).
std::expected<std::optional<TokenText>, OauthError> bearer_of(const web::Request& http);

/// Whether a token was made for this server. One that a client gets for other resources opens nothing here, whatever
/// its scope: those to whom it is shown could use it (RFC 9068, section 4).
bool is_for_us(const TokenClaims& claims, const OauthOptions& options);

}  // namespace troupe::oauth
