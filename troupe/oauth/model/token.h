// Tokens as values: what a client is handed, and what a token stands for when it comes back.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/base/clock.h"
#include "troupe/crypto/token.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/scope.h"

namespace troupe::oauth {

/// The answer of the token endpoint (RFC 6749, section 5.1; OpenID Connect Core, section 3.1.3.3).
struct IssuedTokens {
  TokenText access_token;
  std::chrono::seconds expires_in{0};
  ScopeSet scope;
  std::optional<TokenText> refresh_token;
  std::optional<TokenText> id_token;
};

enum class TokenUse : std::uint8_t { access, refresh };

/// What a live token stands for. The same values are in a JWT, in the row of an opaque token, and in
/// the answer to introspection.
struct TokenClaims {
  TokenUse use = TokenUse::access;
  crypto::TokenId id;  // its text is the `jti`
  FamilyId family;
  ClientId client;
  std::string subject;
  std::optional<UserId> user;  // nothing: the client acts for itself
  std::optional<UserName> user_name;
  ScopeSet scope;
  std::vector<std::string> audience;
  base::UnixTime issued_at;
  base::UnixTime expires_at;
  std::optional<base::UnixTime> auth_time;
  std::optional<SessionId> session;
  std::string signed_by{};  // the `kid` of a JWT; "": it is opaque

  /// Whether it was made for `server`. All others must refuse it, whatever its scope: those to whom it is shown could
  /// use it (RFC 9068, section 4).
  bool is_for(std::string_view server) const noexcept { return std::ranges::find(audience, server) != audience.end(); }
};

/// Something that was valid is not any more. Sent to whoever serves on the strength of a token
/// (RevocationWatcher); a family names all of its tokens.
struct TokensRevoked {
  FamilyId family;
  std::optional<crypto::TokenId> token;  // nothing: the whole family
};

/// All that was granted to a client, or by a user, up to a moment is over: they were removed or disabled. Or the access
/// tokens are that a key has signed: somebody else may have it. Or what a process that serves nobody itself, such as
/// the command line, has taken back: a family, or one token of it.
struct Ending {
  base::UnixTime at;
  std::optional<ClientId> client;  // one of the three
  std::optional<UserId> user;
  std::optional<FamilyId> family{};
  std::optional<crypto::TokenId> token{};  // of the family; nothing: all of it
  std::optional<std::string> signing_key{};

  /// The name of the client, user or signing key.
  const std::string& owner() const { return client ? client->value() : user ? user->value() : signing_key.value(); }
};

struct EndingsHeard {};

/// Endings in the order in which they happened, whichever process brought them about. What is not answered is said
/// again, and so is what happened lately after a restart: hearing twice must change nothing.
struct GrantsEnded {
  std::vector<Ending> endings;
  using reply = EndingsHeard;
};

/// The id in the text of a token or code, taken at its word; nothing where there is none.
std::optional<crypto::TokenId> unproven_id(std::string_view token);

/// The key by which a pool finds the owner of a token or code, read from the id in the text without proof. Texts that
/// are no tokens of ours get some number. A JWT is found by its `jti`. The number says nothing of the pool's size, so
/// ids that were made by a larger or smaller server are good in this one.
std::uint64_t owner_key(std::string_view token);

}  // namespace troupe::oauth
