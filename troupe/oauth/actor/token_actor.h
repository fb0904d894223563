// Token Actor: owns tokens and their families. It makes, checks, refreshes and takes them back.
//
// A pool of them serves: whoever creates, introspects or validates asks any of them; refresh
// and revocation go to the one owner of the token's family (`owner_key`), which alone decides
// about its life, one message at a time. What a client is told has been made durable before.
#pragma once

#include <optional>
#include <string>

#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/grant.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/token.h"

namespace troupe::oauth {

/// Issues tokens for a grant: an access token; a refresh token if `has_refresh_token`; an ID token if the
/// grant is of OpenID. A family that was revoked meanwhile gets none: invalid_grant.
struct CreateToken {
  ClientPtr client;
  Grant grant;
  using reply = IssuedTokens;
  using error = OauthError;
};

/// What the token stands for if it is live and the caller may know (RFC 7662): the caller's own tokens, those
/// whose audience it is, and all if it may use the scope `introspect`. Nothing in every other case.
struct IntrospectToken {
  TokenText token;
  ClientPtr caller;
  using reply = std::optional<TokenClaims>;
};

/// What an access token stands for, for whoever serves on the strength of it: userinfo, and the real-time
/// service. Errors: invalid_token for everything but a live access token of ours.
struct ValidateToken {
  TokenText token;
  using reply = TokenClaims;
  using error = OauthError;
};

struct TokenRevoked {};

/// Takes a token back for the client it was issued to (RFC 7009): a refresh token with its whole family, an
/// access token alone. An unknown token is no error. Errors: invalid_request when it is another client's and
/// the caller is confidential; a public one is told nothing.
struct RevokeToken {
  TokenText token;
  ClientPtr caller;
  using reply = TokenRevoked;
  using error = OauthError;
};

/// Exchanges a refresh token. The same one inside the grace time gives the same successor; later it revokes
/// the family (RFC 9700, 4.14.2). Errors: invalid_grant; invalid_scope when `scope` exceeds the grant's.
struct RefreshToken {
  TokenText refresh_token;
  ClientPtr client;
  std::optional<ScopeSet> scope;  // nothing: what was granted
  using reply = IssuedTokens;
  using error = OauthError;
};

struct FamilyRevoked {};

/// Takes back all tokens of one grant, also those that are yet to be issued.
struct RevokeFamily {
  FamilyId family;
  std::string reason;  // for the log: "code_replay"
  using reply = FamilyRevoked;
};

struct SessionTokensRevoked {};

/// Takes back all tokens of a session that has ended, but those with the scope offline_access.
struct RevokeSession {
  SessionId session;
  using reply = SessionTokensRevoked;
};

class TokenActor;

}  // namespace troupe::oauth
