// Token drafts: tokens before it is known what for. Their ids, secrets and texts are made ahead on the actor's own
// core; the transaction that decides then fills in the grant, and either both last or neither does.
#pragma once

#include <optional>

#include "troupe/crypto/digest.h"
#include "troupe/crypto/token.h"
#include "troupe/oauth/actor/token_factory.h"
#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/grant.h"
#include "troupe/oauth/model/options.h"
#include "troupe/oauth/storage/tables.h"

namespace troupe::oauth {

/// What a client may be given, without saying what for. May be read on any thread.
struct TokenDraft {
  struct Refresh {
    crypto::TokenId id;
    TokenText text;
    crypto::Digest hash;
  };
  ClientPtr client;
  base::UnixTime made_at;
  crypto::TokenId access_id;
  crypto::TokenSecret access_secret;
  AccessHash hash_of;
  std::optional<Refresh> refresh;  // nothing: this client never gets one
};

/// The rows of what a client is given.
struct TokenRows {
  AccessRecord access;
  std::optional<RefreshRecord> refresh;
  std::optional<User> told_of{};  // by the ID token, where claims of the user were asked for
};

/// How long the client's access tokens live.
std::chrono::seconds access_token_ttl(const Client& client, const OauthOptions& options) noexcept;

/// How long what is granted to the client can be refreshed, however often it is.
std::chrono::seconds family_ttl(const Client& client, const OauthOptions& options) noexcept;

/// The row of a new access token of `client` for `grant`, still without hash.
AccessRecord new_access_record(const Client& client, Grant grant, const crypto::TokenId& id, base::UnixTime now,
                               const OauthOptions& options);

/// The rows for `grant`, which names its family; with a refresh token if `has_refresh_token`, that ends with the family
/// if not before.
TokenRows fill(const TokenDraft& draft, Grant grant, const OauthOptions& options);

/// The user behind the grant, where its ID tokens are to tell something of them.
std::optional<User> told_of(Tables& tables, const Grant& grant);

/// Puts them into their tables, of a grant that is known to stand in this transaction.
void insert(Tables& tables, const TokenRows& rows);

/// Keeps them. False: what was granted does not stand any more, since a replay of its code has ended its family, for
/// one; then nothing is kept.
bool keep(Tables& tables, const TokenRows& rows);

}  // namespace troupe::oauth
