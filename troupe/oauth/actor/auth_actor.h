// Auth Actor: owns authorization codes. It judges authorization requests, makes codes, and
// redeems each of them once.
//
// A pool of them serves (owners.h); a code belongs to the one that its key names. The code is spent and what it granted
// is issued in one transaction of the Token Actor (ExchangeCode), so that requests may overlap here: the first wins.
// A wrong redemption leaves it live: whoever guesses must not be able to spend it.
#pragma once

#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <string>

#include "troupe/actor/actor.h"
#include "troupe/oauth/actor/audit.h"
#include "troupe/oauth/actor/client_actor.h"
#include "troupe/oauth/actor/key_actor.h"
#include "troupe/oauth/actor/token_actor.h"
#include "troupe/oauth/actor/token_factory.h"
#include "troupe/oauth/model/auth_request.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/grant.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/token.h"
#include "troupe/oauth/storage/storage.h"
#include "troupe/wire/form.h"

namespace troupe::oauth {

/// Judges an authorization request, with the client of the Client Actor, by `check_auth_request`; an `id_token_hint`
/// must be an ID token that this client was given, and names who must be signed in.
struct ValidateAuthRequest {
  wire::Form parameters;
  using reply = AuthRequest;
  using error = AuthRefusal;
};

/// The text of a code, as the client gets it.
struct IssuedCode {
  TokenText code;
};

/// Makes a code for a request that its user has agreed to. Refused is what has changed since the request was judged:
/// what `fault_since` finds, login_required where the session has ended, consent_required where the user has taken back
/// what they had agreed to.
struct CreateAuthCode {
  AuthRequest request;
  Authentication authentication;
  ScopeSet scope;  // what the user granted
  Cause cause{};
  using reply = IssuedCode;
  using error = AuthRefusal;
};

struct WayBackStands {};

/// Whether an error may still go to the redirect URI of a request that was judged when its flow began: the client may
/// have been changed, disabled or removed since. Errors: those of `fault_in_address`, for a page of ours.
struct CheckWayBack {
  ClientId client;
  std::string redirect_uri;
  using reply = WayBackStands;
  using error = OauthError;
};

/// Has the Token Actor spend a code and issue what it granted, in one transaction. In this order, each of them
/// invalid_grant: the code exists, is this client's, is live, is not expired, the redirect URI is the one that
/// was sent (missing though it was sent: invalid_request) and is registered still, PKCE holds, no verifier comes
/// without challenge, the resources are among those that were granted (else invalid_target, RFC 8707, section 2.2), and
/// something is left of the scope: what was taken from the client since goes from its tokens.
/// The code's own client redeeming it a second time has all its tokens revoked (RFC 6749, 4.1.2).
struct ValidateAuthCode {
  TokenText code;
  ClientPtr client;                      // authenticated
  std::string redirect_uri;              // "" when the request had none
  std::string code_verifier;             // "" when the request had none
  std::vector<std::string> resources{};  // whom the access token is for; none: all that were granted
  Cause cause{};
  std::uint64_t key() const { return owner_key(code.expose()); }
  using reply = IssuedTokens;
  using error = OauthError;
};

struct AuthActorParts {
  Storage storage;
  actor::Ref<actor::Protocol<GetClient>> clients;
  actor::Ref<actor::Protocol<GetKeys>> keys;
  actor::Ref<actor::Protocol<ExchangeCode>> tokens;
  SharedOptions options;
};

class AuthActor {
 public:
  static constexpr bool interleaves = true;

  explicit AuthActor(AuthActorParts parts);

  actor::Task<void> started(actor::Context& context);
  actor::Task<std::expected<AuthRequest, AuthRefusal>> handle(ValidateAuthRequest message);
  actor::Task<std::expected<IssuedCode, AuthRefusal>> handle(CreateAuthCode message, actor::Context& context);
  actor::Task<std::expected<WayBackStands, OauthError>> handle(CheckWayBack message);
  actor::Task<std::expected<IssuedTokens, OauthError>> handle(ValidateAuthCode message);
  void handle(KeysChanged message);
  void inspect(actor::Inspection& out) const;

 private:
  /// A code that this actor has spent: it answers replays without the database, however many come.
  struct Spent {
    ClientId client;
    enum class Family : std::uint8_t { alive, revoked } family = Family::alive;
  };

  /// Whether nothing is left to do about this code but to refuse it.
  bool is_settled(const ReadToken& read, const ClientId& client) const;
  /// Answers may overtake each other: a family that was revoked stays so.
  void remember(const crypto::TokenId& code, const ClientId& client, Spent::Family family);

  AuthActorParts parts_;
  std::optional<TokenFactory> factory_;
  crypto::TokenIds ids_;
  Auditor auditor_;
  std::map<crypto::TokenId, Spent> spent_;
  std::deque<crypto::TokenId> spent_order_;
  std::int64_t codes_made_ = 0;
  std::int64_t codes_redeemed_ = 0;
  std::int64_t replays_ = 0;
};

}  // namespace troupe::oauth
