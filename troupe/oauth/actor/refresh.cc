// See refresh.h.
#include "troupe/oauth/actor/refresh.h"

#include <algorithm>

#include "troupe/base/check.h"
#include "troupe/crypto/digest.h"
#include "troupe/oauth/actor/liveness.h"
#include "troupe/oauth/actor/token_draft.h"

namespace troupe::oauth {
namespace {

using Answer = std::expected<Refreshed, RefreshRefusal>;

Answer refused(const OauthError& error, std::string_view reason) {
  return std::unexpected(RefreshRefusal{error, reason});
}

/// The same answer as the first time, if this is still a repeat and not a reuse.
std::optional<Refreshed> repeat_of(Tables& tables, const RefreshRecord& token, const Grant& grant, base::UnixTime now,
                                   const OauthOptions& options) {
  if (!token.successor || !token.access || now > *token.rotated_at + options.refresh_grace) return std::nullopt;
  const auto successor = tables.grants.find_refresh(*token.successor);
  if (!successor || successor->rotated_at) return std::nullopt;  // the owner has gone on with it
  auto access = tables.grants.find_access(*token.access);
  if (!access) return std::nullopt;
  access->grant.id_token_claims = grant.id_token_claims;
  return Refreshed{
      .grant = grant, .access = std::move(*access), .successor = token.successor, .told_of = told_of(tables, grant)};
}

Answer end_family(Tables& tables, const FamilyId& family, base::UnixTime now) {
  RefreshRefusal refusal{errors::invalid_grant, "used_before"};
  if (tables.grants.revoke_family(family, now, "refresh_token_reuse")) refusal.revoked = family;
  return std::unexpected(refusal);
}

}  // namespace

bool rotates(const Client& client) noexcept { return client.is_public(); }

Answer refresh(Tables& tables, const ShownRefreshToken& shown, base::UnixTime now, const OauthOptions& options) {
  // 1. Is it one of ours, and this client's?
  auto token = tables.grants.find_refresh(shown.read.id);
  if (!token || !crypto::equal_in_constant_time(token->hash.view(), shown.read.hash.view()))
    return refused(errors::invalid_grant, "unknown");
  const auto family = tables.grants.find_family(token->family);
  if (!family || family->grant.client != shown.client->id) return refused(errors::invalid_grant, "another_client");

  // 2. Does what was granted still stand, and is there time left?
  if (!stands(tables, family->grant)) return refused(errors::invalid_grant, "grant_is_over");
  if (family->expires_at <= now) return refused(errors::invalid_grant, "expired");

  // 3. Has it been rotated before? Then this is a lost answer or a theft.
  if (token->rotated_at) {
    if (auto same = repeat_of(tables, *token, family->grant, now, options)) return std::move(*same);
    return end_family(tables, token->family, now);
  }
  if (token->expires_at <= now) return refused(errors::invalid_grant, "expired");

  // 4. Not more than was granted and the client may have (RFC 6749, section 6; RFC 8707, section 2.2): an operator
  // takes a scope from a client, and from its tokens with it.
  Grant grant = family->grant;
  grant.scope = grant.scope.part_within(shown.client->metadata.scope);
  if (grant.scope.empty() && !family->grant.scope.empty()) return refused(errors::invalid_grant, "scope_is_gone");
  if (shown.scope) {
    if (!shown.scope->is_within(grant.scope)) return refused(errors::invalid_scope, "wider_scope");
    grant.scope = *shown.scope;
  }
  auto audience = audience_within(family->grant, shown.resources);
  if (!audience) return refused(audience.error(), "another_target");
  grant.audience = std::move(*audience);

  // 5. A new access token; and a new refresh token in place of this one, or more time for it.
  AccessRecord access = new_access_record(*shown.client, std::move(grant), shown.access_id, now, options);
  access.hash = shown.hash_of(access);
  tables.grants.insert_access(access);
  const base::UnixTime idle_end = std::min(now + options.refresh_idle, family->expires_at);
  Refreshed refreshed{.grant = family->grant,
                      .access = std::move(access),
                      .successor = std::nullopt,
                      .told_of = told_of(tables, family->grant)};
  if (rotates(*shown.client)) {
    tables.grants.insert_refresh(
        {.id = shown.successor_id, .family = token->family, .hash = shown.successor_hash, .expires_at = idle_end});
    token->rotated_at = now;
    token->successor = shown.successor_id;
    token->access = shown.access_id;
    refreshed.successor = shown.successor_id;
  } else {
    token->expires_at = idle_end;
  }
  const bool known = tables.grants.update_refresh(*token);
  INVARIANT(known, "a refresh token does not vanish inside a transaction");
  return refreshed;
}

}  // namespace troupe::oauth
