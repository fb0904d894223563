// ClaimsRequest: what the parameter `claims` of an authorization request asks for (OpenID Connect Core, section 5.5).
//
// Claims of the user are asked for by the scope that shows them, so that people see on the consent page what they
// allow; they come by userinfo, and in the ID token where the request wants them there. Of the ID token the parameter
// can demand who it must be about, and how they must have signed in.
#pragma once

#include <expected>
#include <optional>
#include <string>
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
  std::string id_token{};         // which claims of the user the ID token is to have; to be kept, and for `is_wanted`
};

/// Reads the JSON text. What nobody here knows is passed over (section 5.5.1). Errors: invalid_request.
std::expected<ClaimsRequest, OauthError> read_claims_request(std::string_view text);

/// Whether an ID token is to have `claim`, of a `ClaimsRequest::id_token`, now that its value is this one: where the
/// request names values, one of those.
bool is_wanted(std::string_view id_token, std::string_view claim, std::string_view value);

}  // namespace troupe::oauth
