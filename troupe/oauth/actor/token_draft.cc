// See token_draft.h.
#include "troupe/oauth/actor/token_draft.h"

#include <algorithm>

#include "troupe/oauth/actor/liveness.h"

namespace troupe::oauth {

std::chrono::seconds access_token_ttl(const Client& client, const OauthOptions& options) noexcept {
  return client.metadata.access_token_ttl.value_or(options.access_token_ttl);
}

std::chrono::seconds family_ttl(const Client& client, const OauthOptions& options) noexcept {
  return client.is_public() ? options.refresh_absolute_public : options.refresh_absolute;
}

AccessRecord new_access_record(const Client& client, Grant grant, const crypto::TokenId& id, base::UnixTime now,
                               const OauthOptions& options) {
  return {.id = id,
          .grant = std::move(grant),
          .format = client.metadata.access_token_format,
          .algorithm = client.metadata.access_token_alg,
          .issued_at = now,
          .expires_at = now + access_token_ttl(client, options)};
}

TokenRows fill(const TokenDraft& draft, Grant grant, const OauthOptions& options) {
  TokenRows rows{.access = new_access_record(*draft.client, std::move(grant), draft.access_id, draft.made_at, options)};
  rows.access.hash = draft.hash_of(rows.access);
  const auto refresh_lives = std::min(options.refresh_idle, family_ttl(*draft.client, options));
  if (draft.refresh && has_refresh_token(*draft.client, rows.access.grant)) {
    rows.refresh = RefreshRecord{.id = draft.refresh->id,
                                 .family = rows.access.grant.family,
                                 .hash = draft.refresh->hash,
                                 .expires_at = draft.made_at + refresh_lives,
                                 .rotated_at = std::nullopt,
                                 .successor = std::nullopt,
                                 .access = std::nullopt};
  }
  return rows;
}

std::optional<User> told_of(Tables& tables, const Grant& grant) {
  if (grant.id_token_claims.empty() || !grant.is_openid()) return std::nullopt;
  auto record = tables.users.find(grant.authentication->user);
  if (!record) return std::nullopt;
  return std::move(record->user);
}

void insert(Tables& tables, const TokenRows& rows) {
  tables.grants.insert_access(rows.access);
  if (rows.refresh) tables.grants.insert_refresh(*rows.refresh);
}

bool keep(Tables& tables, const TokenRows& rows) {
  if (!stands(tables, rows.access.grant)) return false;
  insert(tables, rows);
  return true;
}

}  // namespace troupe::oauth
