// Refresh: what happens to a family when somebody shows one of its refresh tokens, inside one
// transaction.
//
// A token that is rotated is good once. Shown again within the grace time, while its successor
// has not been used, it gives the same answer again: a client that lost our answer is no thief.
// Where it asks for another scope or other resources than at first, which is judged as ever, or
// that access token is good no more, it gets the same successor and another access token. Any
// other reuse ends the family, because nobody can tell the thief from the owner and only the
// owner can sign in again (RFC 9700, 4.14.2).
#pragma once

#include <expected>
#include <optional>
#include <string_view>
#include <vector>

#include "troupe/oauth/actor/token_factory.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/options.h"
#include "troupe/oauth/storage/tables.h"

namespace troupe::oauth {

/// A refresh token as it was shown, and the ids for what may come of it.
struct ShownRefreshToken {
  ReadToken read;
  ClientPtr client;
  std::optional<ScopeSet> scope;         // nothing: what was granted
  std::vector<std::string> resources{};  // none: all that were granted
  crypto::TokenId successor_id;
  crypto::Digest successor_hash;
  crypto::TokenId access_id;
  AccessHash hash_of;
};

struct Refreshed {
  Grant grant;  // the family's, for the ID token
  AccessRecord access;
  std::optional<crypto::TokenId> successor;  // nothing: the token that was shown stays good
  std::optional<User> told_of{};             // by the ID token, where claims of the user were asked for
};

struct RefreshRefusal {
  OauthError error;
  std::string_view reason;            // for the audit trail: "another_client"
  std::optional<FamilyId> revoked{};  // the family that a reuse has ended
};

/// Whether this client's refresh tokens are good once: those of public clients are, since nothing else binds
/// them to the client; a confidential client proves itself each time.
bool rotates(const Client& client) noexcept;

std::expected<Refreshed, RefreshRefusal> refresh(Tables& tables, const ShownRefreshToken& shown, base::UnixTime now,
                                                 const OauthOptions& options);

}  // namespace troupe::oauth
