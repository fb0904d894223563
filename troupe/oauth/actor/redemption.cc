// See redemption.h.
#include "troupe/oauth/actor/redemption.h"

#include "troupe/base/check.h"
#include "troupe/crypto/digest.h"
#include "troupe/oauth/model/pkce.h"

namespace troupe::oauth {
namespace {

/// Whether the verifier fits the challenge. A verifier without a challenge is a downgrade attack: somebody has
/// taken the challenge out of the authorization request (RFC 9700, 4.8.2).
bool proves(const std::string& challenge, const std::string& verifier) {
  if (challenge.empty() || verifier.empty()) return challenge.empty() && verifier.empty();
  return pkce_matches(challenge, verifier);
}

/// Why this code is not redeemed, from the record alone; nothing when it may be.
std::optional<OauthError> fault_in(const AuthCode& code, const ShownCode& shown, base::UnixTime now) {
  if (code.expires_at <= now) return errors::invalid_grant;
  if (shown.redirect_uri.empty() && !code.redirect_uri.empty())
    return errors::invalid_request.because("The redirect_uri of the authorization request is missing.");
  if (shown.redirect_uri != code.redirect_uri) return errors::invalid_grant;
  if (!proves(code.code_challenge, shown.code_verifier)) return errors::invalid_grant;
  return std::nullopt;
}

}  // namespace

std::expected<Grant, RedemptionRefusal> redeem(Tables& tables, const ShownCode& shown, base::UnixTime now,
                                               base::UnixTime family_expires_at) {
  const auto refused = [](const OauthError& error) { return std::unexpected(RedemptionRefusal{error, std::nullopt}); };

  const auto code = tables.grants.find_code(shown.read.id);
  if (!code || !crypto::equal_in_constant_time(code->hash.view(), shown.read.hash.view()))
    return refused(errors::invalid_grant);
  if (code->grant.client != shown.client) return refused(errors::invalid_grant);

  if (code->state == CodeState::used) {
    RedemptionRefusal refusal{errors::invalid_grant, std::nullopt};
    if (tables.grants.revoke_family(code->grant.family, now, "code_replay")) refusal.revoked = code->grant.family;
    return std::unexpected(refusal);
  }
  if (const auto fault = fault_in(*code, shown, now)) return refused(*fault);

  const bool spent = tables.grants.use_code(code->id);
  INVARIANT(spent, "a live code is spent once inside a transaction");
  tables.grants.insert_family({.grant = code->grant, .expires_at = family_expires_at});
  return code->grant;
}

}  // namespace troupe::oauth
