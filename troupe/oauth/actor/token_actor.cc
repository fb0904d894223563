// See token_actor.h.
#include "troupe/oauth/actor/token_actor.h"

#include <stdexcept>
#include <tuple>

#include "troupe/crypto/digest.h"
#include "troupe/oauth/actor/liveness.h"
#include "troupe/oauth/actor/refresh.h"

namespace troupe::oauth {
namespace {

/// A refresh token has an audience, too, but is for nobody but us: a resource server that is told that one is active
/// might take it for an access token.
bool may_introspect(const Client& caller, const TokenClaims& claims) {
  if (claims.client == caller.id || caller.metadata.scope.contains("introspect")) return true;
  return claims.use == TokenUse::access && caller.metadata.serves(claims.audience);
}

bool same(const crypto::Digest& a, const crypto::Digest& b) {
  return crypto::equal_in_constant_time(a.view(), b.view());
}

/// The claims with the name of their user, if what they stand on still stands.
std::optional<TokenClaims> live_claims_of(Tables& tables, TokenClaims claims, const Grant& grant) {
  auto here = standing(tables, grant);
  if (!here) return std::nullopt;
  claims.user_name = std::move(here->user);
  return claims;
}

std::optional<TokenClaims> live_access(Tables& tables, const ReadToken& read, base::UnixTime now) {
  const auto token = tables.grants.find_access(read.id);
  if (!token || !same(token->hash, read.hash)) return std::nullopt;
  if (token->revoked_at || token->expires_at <= now) return std::nullopt;
  TokenClaims claims = claims_of(TokenUse::access, token->id, token->grant, token->issued_at, token->expires_at);
  claims.signed_by = read.signed_by;
  return live_claims_of(tables, std::move(claims), token->grant);
}

std::optional<TokenClaims> live_refresh(Tables& tables, const ReadToken& read, base::UnixTime now) {
  const auto token = tables.grants.find_refresh(read.id);
  if (!token || !same(token->hash, read.hash)) return std::nullopt;
  if (token->rotated_at || token->expires_at <= now) return std::nullopt;
  const auto family = tables.grants.find_family(token->family);
  if (!family || family->expires_at <= now) return std::nullopt;
  return live_claims_of(tables,
                        claims_of(TokenUse::refresh, token->id, family->grant, token->id.time(), token->expires_at),
                        family->grant);
}

/// Whose token it is, and of which family; nothing when it is not known here.
struct Owned {
  ClientId client;
  FamilyId family;
};

std::optional<Owned> owner_of(Tables& tables, const ReadToken& read) {
  if (read.use == TokenUse::access) {
    const auto token = tables.grants.find_access(read.id);
    if (!token || !same(token->hash, read.hash)) return std::nullopt;
    return Owned{token->grant.client, token->grant.family};
  }
  const auto token = tables.grants.find_refresh(read.id);
  if (!token || !same(token->hash, read.hash)) return std::nullopt;
  const auto family = tables.grants.find_family(token->family);
  if (!family) return std::nullopt;
  return Owned{family->grant.client, family->grant.family};
}

}  // namespace

TokenActor::TokenActor(TokenActorParts parts) : parts_(std::move(parts)) {}

actor::Task<void> TokenActor::started(actor::Context& context) {
  actor::Topic<KeysChanged>{context, keys_topic}.subscribe(context, this);
  auto keys = co_await parts_.keys.ask(GetKeys{}, {.within = std::chrono::seconds{30}});
  if (!keys) throw std::runtime_error("the Token Actor has got no keys: " + keys.error().what);
  factory_.emplace(parts_.options->issuer, *keys);
}

void TokenActor::handle(KeysChanged message) {
  if (factory_) factory_->use(std::move(message.keys));
}

actor::Task<bool> TokenActor::can_sign_soon(ClientPtr client, bool may_be_openid, actor::Context& context) {
  constexpr std::chrono::seconds patience{4};  // who asks waits five
  constexpr std::chrono::milliseconds look_every{50};
  const base::Instant until = context.now() + patience;
  while (!factory_->can_sign_for(*client, may_be_openid)) {
    if (context.now() >= until) co_return false;
    co_await context.sleep(look_every);
  }
  co_return true;
}

void TokenActor::tell_revoked(const FamilyId& family, std::optional<crypto::TokenId> token) const {
  if (parts_.watcher) parts_.watcher.tell(TokensRevoked{family, token});
}

IssuedTokens TokenActor::answer(const Client& client, const AccessRecord& access, const crypto::TokenSecret& secret,
                                const std::optional<User>& told_of, base::UnixTime now) {
  IssuedTokens issued{.access_token = factory_->access_token(access, secret),
                      .expires_in = std::chrono::duration_cast<std::chrono::seconds>(
                          std::max(base::Duration{}, access.expires_at - now)),
                      .scope = access.grant.scope,
                      .refresh_token = std::nullopt,
                      .id_token = std::nullopt};
  if (access.grant.is_openid())
    issued.id_token =
        factory_->id_token(client, access.grant, issued.access_token, now, now + parts_.options->id_token_ttl, told_of);
  return issued;
}

TokenDraft TokenActor::draft(const ClientPtr& client, std::uint16_t shard, actor::Context& context) {
  const base::UnixTime now = context.wall();
  const std::uint8_t key = factory_->token_key();
  const crypto::TokenId access_id = ids_.next(now, context.random(), shard, key);
  const crypto::TokenSecret secret = crypto::fresh_secret(context.random());
  TokenDraft draft{.client = client,
                   .made_at = now,
                   .access_id = access_id,
                   .access_secret = secret,
                   .hash_of = factory_->hasher(client->metadata.access_token_format, access_id, secret),
                   .refresh = std::nullopt};
  if (client->may_use(GrantType::refresh_token)) {
    const crypto::TokenId id = ids_.next(now, context.random(), shard, key);
    TokenText text = factory_->refresh_token(id, crypto::fresh_secret(context.random()));
    const crypto::Digest hash = crypto::sha256(text.expose());
    draft.refresh = TokenDraft::Refresh{id, std::move(text), hash};
  }
  return draft;
}

TokenActor::Filled TokenActor::filled(CreateToken request, actor::Context& context) {
  Grant grant = std::move(request.grant);
  const auto family = crypto::TokenId::parse(grant.family.value());
  const auto shard = family ? family->shard() : static_cast<std::uint16_t>(context.random().next());
  TokenDraft draft = this->draft(std::move(request.client), shard, context);
  // A client that acts for itself gets a family of this one token.
  if (!family) grant.family = FamilyId{draft.access_id.text()};
  TokenRows rows = fill(draft, std::move(grant), parts_.options);
  const std::string_view because = rows.access.grant.authentication ? "authorization_code" : "client_credentials";
  AuditEvent event = about(auditor_.event(context, request.cause, "token_issued", because), rows.access.grant);
  return {std::move(draft), std::move(rows), about(std::move(event), draft.access_id)};
}

IssuedTokens TokenActor::issue(const TokenDraft& draft, const TokenRows& rows) {
  ++issued_;
  IssuedTokens issued = answer(*draft.client, rows.access, draft.access_secret, rows.told_of, draft.made_at);
  if (rows.refresh) issued.refresh_token = draft.refresh->text;
  return issued;
}

namespace {

/// The rows, and what came of them as an event. False: what was granted does not stand any more.
bool keep(Tables& t, const TokenRows& rows, AuditEvent event) {
  const bool is_kept = keep(t, rows);
  if (!is_kept) {
    event.kind = "token_refused";
    event.reason = "grant_is_over";
  }
  t.audit.append(std::move(event));
  return is_kept;
}

}  // namespace

actor::Task<std::expected<IssuedTokens, OauthError>> TokenActor::handle(CreateToken message, actor::Context& context) {
  const bool can_sign = co_await can_sign_soon(message.client, message.grant.is_openid(), context);
  if (!can_sign) co_return std::unexpected(errors::temporarily_unavailable);
  Filled filled = this->filled(std::move(message), context);
  const bool is_kept = co_await parts_.storage.write(
      [rows = filled.rows, event = std::move(filled.event)](Tables& t) { return keep(t, rows, event); });
  if (!is_kept) co_return std::unexpected(errors::invalid_grant);
  co_return issue(filled.draft, filled.rows);
}

actor::Task<BatchCreateToken::reply> TokenActor::handle(BatchCreateToken message, actor::Context& context) {
  BatchCreateToken::reply answers;
  if (message.requests.size() > BatchCreateToken::batch_max) {
    answers.resize(message.requests.size(), std::unexpected(errors::invalid_request));
    co_return answers;
  }
  std::vector<TokenDraft> drafts;
  std::vector<std::pair<TokenRows, AuditEvent>> rows;
  for (const CreateToken& request : message.requests) {
    const bool can_sign = co_await can_sign_soon(request.client, request.grant.is_openid(), context);
    if (can_sign) continue;
    answers.resize(message.requests.size(), std::unexpected(errors::temporarily_unavailable));
    co_return answers;
  }
  for (CreateToken& request : message.requests) {
    Filled filled = this->filled(std::move(request), context);
    drafts.push_back(std::move(filled.draft));
    rows.emplace_back(std::move(filled.rows), std::move(filled.event));
  }
  const std::vector<bool> are_kept = co_await parts_.storage.write([rows](Tables& t) {
    std::vector<bool> each;
    for (const auto& [one, event] : rows) each.push_back(keep(t, one, event));
    return each;
  });
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    if (are_kept[i]) {
      answers.push_back(issue(drafts[i], rows[i].first));
    } else {
      answers.push_back(std::unexpected(errors::invalid_grant));
    }
  }
  co_return answers;
}

namespace {

/// An event that was kept ready for what did not come of it.
AuditEvent as_refusal(AuditEvent event, std::string_view kind, std::string_view reason) {
  event.kind = kind;
  event.reason = reason;
  return event;
}

/// What a redemption does and how it ends, as events.
struct RedemptionEvents {
  AuditEvent redeemed, issued;
};

/// Spends the code that was shown and keeps what it granted. What has changed by it is an event, which a mere refusal
/// is not here.
std::expected<TokenRows, RedemptionRefusal> exchange(Tables& t, const ShownCode& shown, const TokenDraft& draft,
                                                     const OauthOptions& options, RedemptionEvents events) {
  auto grant = redeem(t, shown, draft.made_at, draft.made_at + family_ttl(*draft.client, options));
  if (!grant) {
    if (!grant.error().revoked) return std::unexpected(grant.error());
    events.redeemed.kind = "code_replay";
    events.redeemed.reason = grant.error().reason;
    events.redeemed.family = grant.error().revoked;
    t.audit.append(events.redeemed);
    return std::unexpected(grant.error());
  }
  t.audit.append(about(std::move(events.redeemed), *grant));
  AuditEvent issued = about(std::move(events.issued), *grant);
  TokenRows rows = fill(draft, *std::move(grant), options);
  insert(t, rows);
  t.audit.append(std::move(issued));
  rows.told_of = told_of(t, rows.access.grant);
  return rows;
}

}  // namespace

actor::Task<std::expected<IssuedTokens, RedemptionRefusal>> TokenActor::handle(ExchangeCode message,
                                                                               actor::Context& context) {
  // Before the code is spent. What it grants is not known yet; what the client may ask for is.
  const bool can_sign =
      co_await can_sign_soon(message.client, message.client->metadata.scope.contains("openid"), context);
  if (!can_sign) co_return std::unexpected(RedemptionRefusal{errors::temporarily_unavailable, "no_key_yet"});
  const auto draft =
      std::make_shared<const TokenDraft>(this->draft(message.client, message.shown.read.id.shard(), context));
  RedemptionEvents events{
      .redeemed = about(about(auditor_.event(context, message.cause, "code_redeemed"), message.client->id),
                        message.shown.read.id),
      .issued = about(auditor_.event(context, message.cause, "token_issued", "authorization_code"), draft->access_id)};
  auto rows = co_await parts_.storage.write([shown = std::move(message.shown), draft, events, options = parts_.options](
                                                Tables& t) { return exchange(t, shown, *draft, options, events); });
  if (!rows) {
    if (const auto& family = rows.error().revoked) {
      tell_revoked(*family);
    } else {
      note_refused(as_refusal(std::move(events.redeemed), "code_refused", rows.error().reason), context);
    }
    co_return std::unexpected(rows.error());
  }
  co_return issue(*draft, *rows);
}

actor::Task<std::optional<TokenClaims>> TokenActor::live_claims(ReadToken read, base::UnixTime now) {
  ++introspected_;
  return parts_.storage.read([read, now](Tables& t) {
    return read.use == TokenUse::access ? live_access(t, read, now) : live_refresh(t, read, now);
  });
}

actor::Task<std::optional<TokenClaims>> TokenActor::handle(IntrospectToken message, actor::Context& context) {
  const auto read = factory_->read(message.token.expose());
  if (!read) co_return std::nullopt;
  auto claims = co_await live_claims(*read, context.wall());
  if (!claims) co_return std::nullopt;
  if (message.caller && !may_introspect(*message.caller, *claims)) {
    note_foreign("introspection_refused", message.caller->id, {claims->client, claims->family, claims->id},
                 message.cause, context);
    co_return std::nullopt;
  }
  co_return claims;
}

actor::Task<std::expected<TokenClaims, OauthError>> TokenActor::handle(ValidateToken message, actor::Context& context) {
  const auto read = factory_->read(message.token.expose());
  if (!read || read->use != TokenUse::access) co_return std::unexpected(errors::invalid_token);
  auto claims = co_await live_claims(*read, context.wall());
  if (!claims) co_return std::unexpected(errors::invalid_token);
  co_return std::move(*claims);
}

actor::Task<std::expected<TokenRevoked, OauthError>> TokenActor::handle(RevokeToken message, actor::Context& context) {
  const auto read = factory_->read(message.token.expose());
  if (!read) co_return TokenRevoked{};
  const base::UnixTime now = context.wall();
  ClientId caller = message.caller->id;
  AuditEvent event = about(auditor_.event(context, message.cause, "token_revoked", "revoked_by_client"), caller);
  struct Result {
    std::optional<Owned> owned;
    bool is_callers = false;
  };
  auto result = co_await parts_.storage.write([read = *read, now, caller, event](Tables& t) {
    Result done{.owned = owner_of(t, read)};
    done.is_callers = done.owned && done.owned->client == caller;
    if (!done.is_callers) return done;
    const bool has_changed = read.use == TokenUse::access ? end_access(t, done.owned->family, read.id, now)
                                                          : end_family(t, done.owned->family, now, "revoked_by_client");
    AuditEvent what = event;
    what.family = done.owned->family;
    what.token = read.id;
    if (has_changed) t.audit.append(what);
    return done;
  });
  if (!result.owned) co_return TokenRevoked{};
  if (!result.is_callers) {
    note_foreign("revocation_refused", caller, {result.owned->client, result.owned->family, read->id}, message.cause,
                 context);
    // A public client is not told that the token exists (RFC 7009, 2.1).
    if (message.caller->is_public()) co_return TokenRevoked{};
    co_return std::unexpected(errors::invalid_request.because("The token was issued to another client."));
  }
  ++revoked_;
  if (read->use == TokenUse::access) {
    tell_revoked(result.owned->family, read->id);
  } else {
    tell_revoked(result.owned->family);
  }
  co_return TokenRevoked{};
}

actor::Task<std::expected<IssuedTokens, OauthError>> TokenActor::handle(RefreshToken message, actor::Context& context) {
  const auto read = factory_->read(message.refresh_token.expose());
  if (!read || read->use != TokenUse::refresh) co_return std::unexpected(errors::invalid_grant);
  const bool can_sign =
      co_await can_sign_soon(message.client, message.client->metadata.scope.contains("openid"), context);
  if (!can_sign) co_return std::unexpected(errors::temporarily_unavailable);

  // 1. Everything that may be needed is made before the transaction: the ids, and hashes of what follows from them.
  const base::UnixTime now = context.wall();
  const std::uint8_t key = factory_->token_key();
  const crypto::TokenId successor = ids_.next(now, context.random(), read->id.shard(), key);
  const crypto::TokenId access_id = ids_.next(now, context.random(), read->id.shard(), key);
  const TokenText& presented = message.refresh_token;
  const TokenText successor_text = factory_->refresh_token(successor, factory_->secret_after(presented, successor));
  ShownRefreshToken shown{.read = *read,
                          .client = message.client,
                          .scope = std::move(message.scope),
                          .resources = std::move(message.resources),
                          .successor_id = successor,
                          .successor_hash = crypto::sha256(successor_text.expose()),
                          .access_id = access_id,
                          .hash_of = factory_->hasher(message.client->metadata.access_token_format, access_id,
                                                      factory_->secret_after(presented, access_id))};

  // 2. One transaction decides.
  AuditEvent event =
      about(about(auditor_.event(context, message.cause, "refresh_token_used"), read->id), message.client->id);
  auto refreshed =
      co_await parts_.storage.write([shown = std::move(shown), now, event, options = parts_.options](Tables& t) {
        auto outcome = refresh(t, shown, now, options);
        if (!outcome && !outcome.error().revoked) return outcome;  // nothing has changed
        AuditEvent what = event;
        if (outcome) what = about(std::move(what), outcome->grant);
        if (!outcome) {
          what.kind = "refresh_token_reuse";
          what.family = outcome.error().revoked;
          what.reason = outcome.error().reason;
        }
        t.audit.append(std::move(what));
        return outcome;
      });
  if (!refreshed) {
    if (const auto& family = refreshed.error().revoked) {
      tell_revoked(*family);
    } else {
      note_refused(as_refusal(std::move(event), "refresh_refused", refreshed.error().reason), context);
    }
    co_return std::unexpected(refreshed.error().error);
  }

  // 3. The texts follow from what was shown and from the rows, so a repeat gets the same ones.
  ++refreshed_;
  refreshed->access.grant.nonce.clear();  // its ID token answers no request (OpenID Connect Core, section 12.2)
  const crypto::TokenSecret secret = factory_->secret_after(presented, refreshed->access.id);
  IssuedTokens issued = answer(*message.client, refreshed->access, secret, refreshed->told_of, now);
  if (refreshed->successor)
    issued.refresh_token =
        factory_->refresh_token(*refreshed->successor, factory_->secret_after(presented, *refreshed->successor));
  co_return issued;
}

void TokenActor::note_foreign(std::string_view kind, const ClientId& caller, const ForeignToken& token,
                              const Cause& cause, actor::Context& context) {
  AuditEvent event =
      about(about(auditor_.event(context, cause, kind, "another_client " + token.owner.value()), caller), token.id);
  event.family = token.family;
  note_refused(std::move(event), context);
}

void TokenActor::note_refused(AuditEvent event, actor::Context& context) {
  auto noted = refusals_.note(event.reason, context.now());
  if (!noted) return;
  event.reason = *std::move(noted);
  context.self(this).tell(NoteRefusal{std::move(event)});
}

actor::Task<void> TokenActor::handle(NoteRefusal message) {
  co_await parts_.storage.write([event = std::move(message.event)](Tables& t) { t.audit.append(event); });
}

void TokenActor::inspect(actor::Inspection& out) const {
  out.add("issued", issued_);
  out.add("introspected", introspected_);
  if (factory_) out.add("signatures_verified", factory_->verified());
  out.add("refreshed", refreshed_);
  out.add("revoked", revoked_);
  out.add("refusals_unnoted", refusals_.unnoted());
}

}  // namespace troupe::oauth
