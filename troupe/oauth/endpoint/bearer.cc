// See bearer.h.
#include "troupe/oauth/endpoint/bearer.h"

#include "troupe/web/bearer.h"

namespace troupe::oauth {

std::expected<std::optional<TokenText>, OauthError> bearer_of(const web::Request& http) {
  const auto token = web::bearer_token(http);
  if (token && *token) return TokenText{std::string{**token}};
  if (token || token.error() == web::BearerFault::other_scheme) return std::nullopt;
  if (token.error() == web::BearerFault::repeated)
    return std::unexpected(errors::invalid_request.because("The Authorization header comes twice."));
  return std::unexpected(errors::invalid_request.because("The Authorization header is malformed."));
}

}  // namespace troupe::oauth
