// Records: what is kept of the model's values beyond what the rest of the server sees of them:
// hashes of secrets, how far a token has been used, when something ended and why.
//
// Of everything that is shown as a secret only a hash is kept. Families and sessions are named
// by the text of a crypto::TokenId, whose 16 bytes are the key of their row.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "troupe/base/clock.h"
#include "troupe/base/strong.h"
#include "troupe/crypto/digest.h"
#include "troupe/crypto/key.h"
#include "troupe/crypto/token.h"
#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/code.h"
#include "troupe/oauth/model/grant.h"
#include "troupe/oauth/model/session.h"
#include "troupe/oauth/model/token.h"
#include "troupe/oauth/model/user.h"

namespace troupe::oauth {

/// One of a client's secrets; while one replaces another, two are good.
struct ClientSecretRecord {
  crypto::TokenId id;
  ClientId client;
  crypto::Digest hash;
  std::optional<base::UnixTime> expires_at;
};

struct UserRecord {
  User user;
  std::string password_hash;           // PHC text
  base::UnixTime password_changed_at;  // or disabled at: what was granted before this moment is over
};

struct SessionRecord {
  Session session;
  crypto::Digest hash;  // of the cookie
  base::UnixTime expires_at;
  std::optional<base::UnixTime> ended_at;
};

/// What a user has allowed a client to ask for without asking again.
struct ConsentRecord {
  UserId user;
  ClientId client;
  ScopeSet scope;
  base::UnixTime granted_at;
};

/// All tokens that stem from one authorization; they end together.
struct FamilyRecord {
  Grant grant;
  base::UnixTime expires_at;  // the absolute end of its refresh tokens
  std::optional<base::UnixTime> revoked_at;
  std::string revoked_because;
};

/// An ending with its place in the order of all.
struct EndingRecord {
  std::int64_t number = 0;
  Ending ending;
};

struct RefreshRecord {
  crypto::TokenId id;
  FamilyId family;
  crypto::Digest hash;
  base::UnixTime expires_at;  // the idle end: pushed out by use where the token is not rotated
  std::optional<base::UnixTime> rotated_at;
  std::optional<crypto::TokenId> successor;
  std::optional<crypto::TokenId> access;  // what its rotation gave, so that a repeat gives the same
};

struct AccessRecord {
  crypto::TokenId id;
  Grant grant;  // its scope may be narrower than the family's
  crypto::Digest hash;
  AccessTokenFormat format = AccessTokenFormat::jwt;
  crypto::Algorithm algorithm = crypto::Algorithm::es256;
  base::UnixTime issued_at;
  base::UnixTime expires_at;
  std::optional<base::UnixTime> revoked_at;
};

/// A key that signs tokens, with its times: shown from `created_at`, signing in between, shown until `retired_at`.
struct SigningKeyRecord {
  std::string id;  // the "kid"
  crypto::Algorithm algorithm = crypto::Algorithm::es256;
  base::Secret<std::string> der;  // PKCS #8
  base::UnixTime created_at;
  base::UnixTime signs_from;
  base::UnixTime signs_until;
  base::UnixTime retired_at;
};

/// A key of the HMAC inside opaque tokens.
struct TokenKeyRecord {
  std::uint8_t id = 0;
  base::Secret<std::string> secret;  // 32 bytes
  base::UnixTime created_at;
};

/// A client that is to be told that a session has ended.
struct LogoutNotice {
  std::int64_t number = 0;  // the table gives it, and never again
  ClientId client;
  UserId user;
  SessionId session;
  base::UnixTime made_at;
  int attempts = 0;  // that have failed
  base::UnixTime next_at;
};

/// One entry of the audit trail. It names people by a hash and never holds a token, code, secret or password.
struct AuditEvent {
  crypto::TokenId id;  // says when
  std::string kind;    // in the past tense: "code_redeemed", "family_revoked"
  std::optional<ClientId> client{};
  std::optional<std::string> user{};  // the first 8 bytes of the SHA-256 of the user id, in hex
  std::optional<FamilyId> family{};
  std::string reason{};
  std::optional<crypto::TokenId> token{};  // the code or token that it is about, by its public id
  std::string request{};                   // the X-Request-Id of the request that has led to it; "": none has
  std::string done_by{};  // "command line", "schedule"; "": the client or user, or nobody in particular
};

}  // namespace troupe::oauth
