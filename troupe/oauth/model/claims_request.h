// ClaimsRequest: what the parameter `claims` of an authorization request asks for (OpenID Connect Core, section 5.5).
//
// Claims of the user are asked for by the scope that shows them, so that people see on the consent page what they
// allow; they come by userinfo. Of the ID token the parameter can demand who it must be about, and how they must have
// signed in.
#pragma once

#include <expected>
#include <optional>
#include <string_view>

#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/scope.h"

namespace troupe::oauth {

/// How people have signed in, as the claim `acr` has it: by one password.
inline constexpr std::string_view acr_password = "1";

struct ClaimsRequest {
  ScopeSet scopes;                // that show the claims which are asked for
  std::optional<UserId> subject;  // nobody else may be signed in
  bool is_acr_unmet = false;      // it must be one that there is not
};

/// Reads the JSON text. What nobody here knows is passed over (section 5.5.1). Errors: invalid_request.
std::expected<ClaimsRequest, OauthError> read_claims_request(std::string_view text);

}  // namespace troupe::oauth
