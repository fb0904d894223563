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

std::unexpected<RefreshRefusal> refused(const OauthError& error, std::string_view reason) {
  return std::unexpected(RefreshRefusal{error, reason});
}

/// What is asked for: not more than was granted and the client may have (RFC 6749, section 6; RFC 8707, section 2.2).
/// An operator takes a scope from a client, and from its tokens with it.
std::expected<Grant, RefreshRefusal> asked_of(const Grant& granted, const ShownRefreshToken& shown) {
  Grant grant = granted;
  grant.scope = grant.scope.part_within(shown.client->metadata.scope);
  if (grant.scope.empty() && !granted.scope.empty()) return refused(errors::invalid_grant, "scope_is_gone");
  if (shown.scope) {
    if (!shown.scope->is_within(grant.scope)) return refused(errors::invalid_scope, "wider_scope");
    grant.scope = *shown.scope;
  }
  auto audience = audience_within(granted, shown.resources);
  if (!audience) return refused(audience.error(), "another_target");
  grant.audience = std::move(*audience);
  return grant;
}

/// A new access token for what is asked.
AccessRecord give_access(Tables& tables, const ShownRefreshToken& shown, Grant asked, base::UnixTime now,
                         const OauthOptions& options) {
  AccessRecord access = new_access_record(*shown.client, std::move(asked), shown.access_id, now, options);
  access.hash = shown.hash_of(access);
  tables.grants.insert_access(access);
  return access;
}

void update(Tables& tables, const RefreshRecord& token) {
  const bool known = tables.grants.update_refresh(token);
  INVARIANT(known, "a refresh token does not vanish inside a transaction");
}

/// Whether this is still a repeat, and not a reuse.
bool is_repeat(Tables& tables, const RefreshRecord& token, base::UnixTime now, const OauthOptions& options) {
  if (!token.successor || !token.access || now > *token.rotated_at + options.refresh_grace) return false;
  const auto successor = tables.grants.find_refresh(*token.successor);
  return successor && !successor->rotated_at;  // else the owner has gone on with it
}

/// The access token that the rotation gave, if it is good still and what is asked for this time.
std::optional<AccessRecord> given_before(Tables& tables, const RefreshRecord& token, const Grant& asked,
                                         base::UnixTime now) {
  auto access = tables.grants.find_access(*token.access);
  if (!access || access->revoked_at || access->expires_at <= now) return std::nullopt;  // expired rows are removed
  if (access->grant.scope != asked.scope || access->grant.audience != asked.audience) return std::nullopt;
  access->grant.id_token_claims = asked.id_token_claims;
  return access;
}

/// The same answer as the first time, as far as the same is asked for; the successor stays in any case.
Answer repeat(Tables& tables, RefreshRecord token, const Grant& granted, const ShownRefreshToken& shown,
              base::UnixTime now, const OauthOptions& options) {
  auto asked = asked_of(granted, shown);
  if (!asked) return std::unexpected(asked.error());
  auto access = given_before(tables, token, *asked, now);
  if (!access) {
    access = give_access(tables, shown, *std::move(asked), now, options);
    token.access = access->id;  // the next repeat gets this one
    update(tables, token);
  }
  return Refreshed{.grant = granted,
                   .access = *std::move(access),
                   .successor = token.successor,
                   .told_of = told_of(tables, granted)};
}

Answer end_family(Tables& tables, const FamilyId& family, base::UnixTime now) {
  RefreshRefusal refusal{errors::invalid_grant, "used_before"};
  if (end_family(tables, family, now, "refresh_token_reuse")) refusal.revoked = family;
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
  if (family->revoked_at || !judge_ground(tables, family->grant))
    return refused(errors::invalid_grant, "grant_is_over");
  if (family->expires_at <= now) return refused(errors::invalid_grant, "expired");

  // 3. Has it been rotated before? Then this is a lost answer or a theft.
  if (token->rotated_at) {
    if (!is_repeat(tables, *token, now, options)) return end_family(tables, token->family, now);
    return repeat(tables, *token, family->grant, shown, now, options);
  }
  if (token->expires_at <= now) return refused(errors::invalid_grant, "expired");

  // 4. May it have what it asks for?
  auto asked = asked_of(family->grant, shown);
  if (!asked) return std::unexpected(asked.error());

  // 5. A new access token; and a new refresh token in place of this one, or more time for it.
  AccessRecord access = give_access(tables, shown, *std::move(asked), now, options);
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
  update(tables, *token);
  return refreshed;
}

}  // namespace troupe::oauth
