// Token Actor: owns tokens and their families. It makes, checks, refreshes and takes them back.
//
// A pool of them serves (owners.h): what creates, introspects or validates goes to any of
// them; refresh and revocation go by their key to the one owner of the token's family, which
// alone decides about its life. What a client is told has been made durable before.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/oauth/actor/audit.h"
#include "troupe/oauth/actor/key_actor.h"
#include "troupe/oauth/actor/redemption.h"
#include "troupe/oauth/actor/refusal_budget.h"
#include "troupe/oauth/actor/token_draft.h"
#include "troupe/oauth/actor/token_factory.h"
#include "troupe/oauth/model/cause.h"
#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/grant.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/options.h"
#include "troupe/oauth/model/token.h"
#include "troupe/oauth/storage/storage.h"

namespace troupe::oauth {

/// Issues tokens for a grant: an access token; a refresh token if `has_refresh_token`; an ID token if the
/// grant is of OpenID, without claims of the user. A family that was revoked meanwhile gets none: invalid_grant.
struct CreateToken {
  ClientPtr client;
  Grant grant;
  Cause cause{};
  using reply = IssuedTokens;
  using error = OauthError;
};

/// The same for many grants, made durable by one write. The answers stand in the order of the requests, and one that is
/// refused leaves the others as they are. At most `batch_max`; of more none is made: invalid_request for each.
struct BatchCreateToken {
  static constexpr std::size_t batch_max = 256;
  std::vector<CreateToken> requests;
  using reply = std::vector<std::expected<IssuedTokens, OauthError>>;
};

/// Spends a code and issues what it granted, in one transaction; the Auth Actor that owns the code asks for it. Errors:
/// those of `redeem`, and temporarily_unavailable while there is no key to sign with.
struct ExchangeCode {
  ClientPtr client;
  ShownCode shown;
  Cause cause{};
  using reply = IssuedTokens;
  using error = RedemptionRefusal;
};

/// What the token stands for if it is live and the caller may know (RFC 7662): the caller's own tokens, access tokens
/// for a resource that it is the server of, and all if it may use the scope `introspect`. Nothing in every other case.
struct IntrospectToken {
  TokenText token;
  ClientPtr caller;  // null: one who may know all
  Cause cause{};     // for the audit trail, where the caller may not know
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
  Cause cause{};
  std::uint64_t key() const { return owner_key(token.expose()); }
  using reply = TokenRevoked;
  using error = OauthError;
};

/// Exchanges a refresh token. The same one inside the grace time gives the same successor; later it revokes
/// the family (RFC 9700, 4.14.2). Errors: invalid_grant; invalid_scope when `scope` exceeds the grant's, and
/// invalid_target when a resource is not among those that were granted (RFC 8707, 2.2).
struct RefreshToken {
  TokenText refresh_token;
  ClientPtr client;
  std::optional<ScopeSet> scope;         // nothing: what was granted
  std::vector<std::string> resources{};  // none: those that were granted
  Cause cause{};
  std::uint64_t key() const { return owner_key(refresh_token.expose()); }
  using reply = IssuedTokens;
  using error = OauthError;
};

struct FamilyRevoked {};

/// Takes back all tokens of one grant, also those that are yet to be issued.
struct RevokeFamily {
  FamilyId family;
  std::string reason;  // for the log: "code_replay"
  Cause cause{};
  using reply = FamilyRevoked;
};

/// Takes a token back for somebody who administers, by its id: an access token alone, a refresh token with its whole
/// family. None is no error.
struct RevokeTokenById {
  crypto::TokenId id;
  Cause cause{};
  std::uint64_t key() const { return id.shard(); }
  using reply = TokenRevoked;
};

/// Which of what was granted is wanted: all that is said must hold.
struct GrantFilter {
  std::optional<ClientId> client{};
  std::optional<UserId> user{};
  std::optional<FamilyId> family{};
  std::optional<SessionId> ends_with{};  // of grants only: those that end when this session does
};

struct LiveGrant {
  Grant grant;
  base::UnixTime expires_at;
};

/// A part of what is wanted, in the order of the ids. `next` is where to go on, nothing at the end. A page looks at a
/// bounded number of rows, so it may be short, or empty, and not be the last.
template <class Row>
struct PageOf {
  std::vector<Row> rows;
  std::optional<crypto::TokenId> next;
};

/// The grants with a user behind them that are live.
struct ListGrants {
  GrantFilter filter;
  std::optional<crypto::TokenId> after{};
  int count = 100;
  using reply = PageOf<LiveGrant>;
};

/// The tokens of one use that are live, without their texts, which nobody knows any more.
struct ListTokens {
  TokenUse use = TokenUse::access;
  GrantFilter filter;
  std::optional<crypto::TokenId> after{};
  int count = 100;
  using reply = PageOf<TokenClaims>;
};

/// A token that was shown by somebody else than its client.
struct ForeignToken {
  ClientId owner;
  FamilyId family;
  crypto::TokenId id;
};

/// A live token, and the grant that would be taken back with it: that of a refresh token.
struct TokenAtHand {
  TokenClaims token;
  std::optional<LiveGrant> grant;
};

/// What RevokeTokenById would take back; nothing where that token is not live.
struct GetToken {
  crypto::TokenId id;
  using reply = std::optional<TokenAtHand>;
};

struct TokenActorParts {
  Storage storage;
  actor::Ref<actor::Protocol<GetKeys>> keys;
  actor::Ref<actor::Protocol<TokensRevoked>> watcher;  // may be null
  SharedOptions options;
};

class TokenActor {
 public:
  // What decides is one transaction, so requests may overlap here; see refresh.h and redemption.h.
  static constexpr bool interleaves = true;

  explicit TokenActor(TokenActorParts parts);

  actor::Task<void> started(actor::Context& context);
  actor::Task<std::expected<IssuedTokens, OauthError>> handle(CreateToken message, actor::Context& context);
  actor::Task<BatchCreateToken::reply> handle(BatchCreateToken message, actor::Context& context);
  actor::Task<std::expected<IssuedTokens, RedemptionRefusal>> handle(ExchangeCode message, actor::Context& context);
  actor::Task<std::optional<TokenClaims>> handle(IntrospectToken message, actor::Context& context);
  actor::Task<std::expected<TokenClaims, OauthError>> handle(ValidateToken message, actor::Context& context);
  actor::Task<std::expected<TokenRevoked, OauthError>> handle(RevokeToken message, actor::Context& context);
  actor::Task<std::expected<IssuedTokens, OauthError>> handle(RefreshToken message, actor::Context& context);
  actor::Task<FamilyRevoked> handle(RevokeFamily message, actor::Context& context);
  actor::Task<TokenRevoked> handle(RevokeTokenById message, actor::Context& context);
  actor::Task<PageOf<LiveGrant>> handle(ListGrants message, actor::Context& context);
  actor::Task<PageOf<TokenClaims>> handle(ListTokens message, actor::Context& context);
  actor::Task<std::optional<TokenAtHand>> handle(GetToken message, actor::Context& context);
  void handle(KeysChanged message);
  /// Told by itself, so that who was refused need not wait for the disk.
  struct NoteRefusal {
    AuditEvent event;
  };
  actor::Task<void> handle(NoteRefusal message);
  void inspect(actor::Inspection& out) const;

 private:
  /// A token before it is durable, and the event that it was issued.
  struct Filled {
    TokenDraft draft;
    TokenRows rows;
    AuditEvent event;
  };
  /// Whether there are keys for what the client may get. A server serves before its first key of RSA is made, and who
  /// needs that one waits for it a while.
  actor::Task<bool> can_sign_soon(ClientPtr client, bool may_be_openid, actor::Context& context);
  TokenDraft draft(const ClientPtr& client, std::uint16_t shard, actor::Context& context);
  Filled filled(CreateToken request, actor::Context& context);
  IssuedTokens issue(const TokenDraft& draft, const TokenRows& rows);
  actor::Task<std::optional<TokenClaims>> live_claims(ReadToken read, base::UnixTime now);
  /// Notes that `caller` has shown a token of another client, and whose it is; some of many.
  void note_foreign(std::string_view kind, const ClientId& caller, const ForeignToken& token, const Cause& cause,
                    actor::Context& context);
  /// Notes the event of a refusal that has changed nothing, as far as the budget of refusals goes.
  void note_refused(AuditEvent event, actor::Context& context);
  void tell_revoked(const FamilyId& family, std::optional<crypto::TokenId> token = std::nullopt) const;
  IssuedTokens answer(const Client& client, const AccessRecord& access, const crypto::TokenSecret& secret,
                      const std::optional<User>& told_of, base::UnixTime now);

  TokenActorParts parts_;
  std::optional<TokenFactory> factory_;
  crypto::TokenIds ids_;
  Auditor auditor_;
  RefusalBudget refusals_;
  std::int64_t issued_ = 0;
  std::int64_t introspected_ = 0;
  std::int64_t refreshed_ = 0;
  std::int64_t revoked_ = 0;
};

}  // namespace troupe::oauth
