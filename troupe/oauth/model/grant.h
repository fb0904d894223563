// Grant: what was agreed, once: which client may do what, in whose name. Every token is
// issued from a grant and belongs to its family; who revokes the family revokes them all.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "troupe/base/clock.h"
#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/scope.h"
#include "troupe/oauth/model/token.h"

namespace troupe::oauth {

/// How and when a user proved who they are; the claims auth_time, sid and amr come from it.
struct Authentication {
  UserId user;
  SessionId session;
  base::UnixTime time;
  std::vector<std::string> methods = {"pwd"};  // RFC 8176
};

struct Grant {
  FamilyId family;
  ClientId client;
  ScopeSet scope;
  std::vector<std::string> audience;             // who may accept its access tokens; never empty
  std::optional<Authentication> authentication;  // nothing: the client acts for itself
  std::string nonce;                             // for the ID token; "" when none was sent
  std::string id_token_claims{};                 // that it is to have of the user (claims_request.h); kept with codes
                                                 // and families, and not with their tokens

  /// The `sub` of its tokens: the user, or the client that acts for itself.
  const std::string& subject() const noexcept { return authentication ? authentication->user.value() : client.value(); }
  bool is_openid() const noexcept { return authentication && scope.contains("openid"); }
};

/// The part of the grant's audience that is asked for, all of it where nothing is. Errors: invalid_target.
std::expected<std::vector<std::string>, OauthError> audience_within(const Grant& grant,
                                                                    std::span<const std::string> resources);

/// Whether the grant comes with a refresh token: the client may use that grant, a user is behind it, and an
/// OpenID request has asked for `offline_access` (OpenID Connect Core, section 11).
inline bool has_refresh_token(const Client& client, const Grant& grant) {
  if (!grant.authentication || !client.may_use(GrantType::refresh_token)) return false;
  return !grant.scope.contains("openid") || grant.scope.contains("offline_access");
}

/// Whether the grant is over when the session ends in which it was given, if not before.
inline bool ends_with_session(const Grant& grant) {
  return grant.authentication && !grant.scope.contains("offline_access");
}

/// What a token of the grant stands for.
TokenClaims claims_of(TokenUse use, const crypto::TokenId& id, const Grant& grant, base::UnixTime issued_at,
                      base::UnixTime expires_at);

}  // namespace troupe::oauth
