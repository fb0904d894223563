// See grant.h.
#include "troupe/oauth/model/grant.h"

#include <algorithm>

namespace troupe::oauth {

std::expected<std::vector<std::string>, OauthError> audience_within(const Grant& grant,
                                                                    std::span<const std::string> resources) {
  if (resources.empty()) return grant.audience;
  std::vector<std::string> audience{resources.begin(), resources.end()};
  std::ranges::sort(audience);
  const auto doubles = std::ranges::unique(audience);
  audience.erase(doubles.begin(), doubles.end());
  const auto is_granted = [&](const std::string& one) {
    return std::ranges::find(grant.audience, one) != grant.audience.end();
  };
  if (!std::ranges::all_of(audience, is_granted)) return std::unexpected(errors::invalid_target);
  return audience;
}

TokenClaims claims_of(TokenUse use, const crypto::TokenId& id, const Grant& grant, base::UnixTime issued_at,
                      base::UnixTime expires_at) {
  TokenClaims claims{.use = use,
                     .id = id,
                     .family = grant.family,
                     .client = grant.client,
                     .subject = grant.subject(),
                     .user = std::nullopt,
                     .scope = grant.scope,
                     .audience = grant.audience,
                     .issued_at = issued_at,
                     .expires_at = expires_at,
                     .auth_time = std::nullopt,
                     .session = std::nullopt};
  if (const auto& by = grant.authentication) {
    claims.user = by->user;
    claims.auth_time = by->time;
    claims.session = by->session;
  }
  return claims;
}

}  // namespace troupe::oauth
