// See redemption.h.
#include "troupe/oauth/actor/redemption.h"

#include "troupe/base/check.h"
#include "troupe/crypto/digest.h"
#include "troupe/oauth/actor/liveness.h"
#include "troupe/oauth/model/pkce.h"
#include "troupe/oauth/model/redirect_uri.h"

namespace troupe::oauth {
namespace {

/// Whether the verifier fits the challenge. A verifier without a challenge is a downgrade attack: somebody has
/// taken the challenge out of the authorization request (RFC 9700, 4.8.2).
bool proves(const std::string& challenge, const std::string& verifier) {
  if (challenge.empty() || verifier.empty()) return challenge.empty() && verifier.empty();
  return pkce_matches(challenge, verifier);
}

/// Why this code is not redeemed, from the records of code and client alone; nothing when it may be.
std::optional<RedemptionRefusal> fault_in(const AuthCode& code, const Client& client, const ShownCode& shown,
                                          base::UnixTime now) {
  if (code.expires_at <= now) return RedemptionRefusal{errors::invalid_grant, "expired"};
  if (shown.redirect_uri.empty() && !code.redirect_uri.empty()) {
    return RedemptionRefusal{
        errors::invalid_request.because("The redirect_uri of the authorization request is missing."),
        "redirect_uri_missing"};
  }
  if (shown.redirect_uri != code.redirect_uri) return RedemptionRefusal{errors::invalid_grant, "another_redirect_uri"};
  // One that was not sent is not kept: it was the only one.
  if (!code.redirect_uri.empty() && !is_registered(client.metadata.redirect_uris, code.redirect_uri))
    return RedemptionRefusal{errors::invalid_grant, "redirect_uri_is_gone"};
  if (!proves(code.code_challenge, shown.code_verifier)) return RedemptionRefusal{errors::invalid_grant, "pkce_failed"};
  return std::nullopt;
}

}  // namespace

std::expected<Grant, RedemptionRefusal> redeem(Tables& tables, const ShownCode& shown, base::UnixTime now,
                                               base::UnixTime family_expires_at) {
  const auto refused = [](std::string_view reason) {
    return std::unexpected(RedemptionRefusal{errors::invalid_grant, reason});
  };

  const auto code = tables.grants.find_code(shown.read.id);
  if (!code || !crypto::equal_in_constant_time(code->hash.view(), shown.read.hash.view())) return refused("unknown");
  if (code->grant.client != shown.client) return refused("another_client");

  if (code->state == CodeState::used) {
    // Redeeming opens the family. Without it nobody has redeemed the code: the user took back what they had agreed to.
    if (!tables.grants.find_family(code->grant.family)) return refused("consent_revoked");
    RedemptionRefusal refusal{errors::invalid_grant, "replay", true};
    if (end_family(tables, code->grant.family, now, "code_replay")) refusal.revoked = code->grant.family;
    return std::unexpected(refusal);
  }
  const auto client = tables.clients.find(shown.client);  // as it is now, and not as it was authenticated
  if (!client || !judge_ground(tables, code->grant)) return refused("grant_is_over");
  // Also what is to outlive its session: who is told of the end is found by their families, and a code has none yet.
  const auto& by = code->grant.authentication;
  if (by && has_ended(tables, by->session)) return refused("grant_is_over");
  if (const auto fault = fault_in(*code, *client, shown, now)) return std::unexpected(*fault);
  auto audience = audience_within(code->grant, shown.resources);
  if (!audience) return std::unexpected(RedemptionRefusal{audience.error(), "another_target"});
  // An operator takes a scope from a client, and from its codes with it. The family keeps what was granted, as it does
  // at a refresh.
  ScopeSet scope = code->grant.scope.part_within(client->metadata.scope);
  if (scope.empty() && !code->grant.scope.empty()) return refused("scope_is_gone");

  const bool spent = tables.grants.use_code(code->id);
  INVARIANT(spent, "a live code is spent once inside a transaction");
  tables.grants.insert_family({.grant = code->grant, .expires_at = family_expires_at});
  Grant granted = code->grant;
  granted.audience = *std::move(audience);
  granted.scope = std::move(scope);
  return granted;
}

}  // namespace troupe::oauth
