// See token_actor.h.
#include "troupe/oauth/actor/token_actor.h"

#include <stdexcept>

#include "troupe/crypto/digest.h"
#include "troupe/oauth/actor/liveness.h"
#include "troupe/oauth/actor/refresh.h"

namespace troupe::oauth {
namespace {

bool may_introspect(const Client& caller, const TokenClaims& claims) {
  if (claims.client == caller.id || caller.metadata.scope.contains("introspect")) return true;
  return std::ranges::find(claims.audience, caller.id.value()) != claims.audience.end();
}

TokenClaims claims_of(TokenUse use, const crypto::TokenId& id, const Grant& grant, base::UnixTime issued_at,
                      base::UnixTime expires_at) {
  TokenClaims claims{.use = use,
                     .id = id,
                     .family = grant.family,
                     .client = grant.client,
                     .subject = grant.subject(),
                     .user = std::nullopt,
                     .user_name = std::nullopt,
                     .scope = grant.scope,
                     .audience = grant.audience,
                     .issued_at = issued_at,
                     .expires_at = expires_at,
                     .auth_time = std::nullopt,
                     .session = std::nullopt};
  if (const auto& by = grant.authentication) {
    claims.user = by->user;
    claims.auth_time = by->time;
    claims.session = by->session;
  }
  return claims;
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
  return live_claims_of(
      tables, claims_of(TokenUse::access, token->id, token->grant, token->issued_at, token->expires_at), token->grant);
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
  factory_.emplace(parts_.options.issuer, *keys);
}

void TokenActor::handle(KeysChanged message) {
  if (factory_) factory_->use(std::move(message.keys));
}

void TokenActor::tell_revoked(const FamilyId& family, std::optional<crypto::TokenId> token) const {
  if (parts_.watcher) parts_.watcher.tell(TokensRevoked{family, token});
}

IssuedTokens TokenActor::answer(const Client& client, const AccessRecord& access, const crypto::TokenSecret& secret,
                                base::UnixTime now) {
  IssuedTokens issued{.access_token = factory_->access_token(access, secret),
                      .expires_in = std::chrono::duration_cast<std::chrono::seconds>(access.expires_at - now),
                      .scope = access.grant.scope,
                      .refresh_token = std::nullopt,
                      .id_token = std::nullopt};
  if (access.grant.is_openid())
    issued.id_token =
        factory_->id_token(client, access.grant, issued.access_token, now, now + parts_.options.id_token_ttl);
  return issued;
}

TokenActor::Draft TokenActor::draft(CreateToken request, actor::Context& context) {
  const base::UnixTime now = context.wall();
  const std::uint8_t key = factory_->token_key();
  Grant grant = std::move(request.grant);
  const auto family_id = crypto::TokenId::parse(grant.family.value());
  const auto shard = family_id ? family_id->shard() : static_cast<std::uint16_t>(context.random().next());
  const crypto::TokenId access_id = ids_.next(now, context.random(), shard, key);
  // A client that acts for itself gets a family of this one token.
  if (!family_id) grant.family = FamilyId{access_id.text()};

  const crypto::TokenSecret secret = crypto::fresh_secret(context.random());
  AccessRecord access = new_access_record(*request.client, std::move(grant), access_id, now, parts_.options);
  access.hash = factory_->hash_of(access, secret);

  std::optional<TokenText> refresh_text;
  std::optional<RefreshRecord> refresh_record;
  if (has_refresh_token(*request.client, access.grant)) {
    const crypto::TokenId id = ids_.next(now, context.random(), shard, key);
    refresh_text = factory_->refresh_token(id, crypto::fresh_secret(context.random()));
    refresh_record = RefreshRecord{.id = id,
                                   .family = access.grant.family,
                                   .hash = crypto::sha256(refresh_text->expose()),
                                   .expires_at = now + parts_.options.refresh_idle,
                                   .rotated_at = std::nullopt,
                                   .successor = std::nullopt,
                                   .access = std::nullopt};
  }
  return {std::move(request.client), std::move(access), secret, std::move(refresh_text), std::move(refresh_record)};
}

std::expected<IssuedTokens, OauthError> TokenActor::issue(Draft draft, bool is_stored, base::UnixTime now) {
  if (!is_stored) return std::unexpected(errors::invalid_grant);
  ++issued_;
  IssuedTokens issued = answer(*draft.client, draft.access, draft.secret, now);
  issued.refresh_token = std::move(draft.refresh_text);
  return issued;
}

namespace {

/// False: its family was revoked meanwhile, by a replay of its code for one.
bool store(Tables& t, const AccessRecord& access, const std::optional<RefreshRecord>& refresh) {
  if (!stands(t, access.grant)) return false;
  t.grants.insert_access(access);
  if (refresh) t.grants.insert_refresh(*refresh);
  return true;
}

}  // namespace

actor::Task<std::expected<IssuedTokens, OauthError>> TokenActor::handle(CreateToken message, actor::Context& context) {
  const base::UnixTime now = context.wall();
  Draft draft = this->draft(std::move(message), context);
  const bool is_stored = co_await parts_.storage.write(
      [access = draft.access, refresh = draft.refresh_record](Tables& t) { return store(t, access, refresh); });
  co_return issue(std::move(draft), is_stored, now);
}

actor::Task<BatchCreateToken::reply> TokenActor::handle(BatchCreateToken message, actor::Context& context) {
  BatchCreateToken::reply answers;
  if (message.requests.size() > BatchCreateToken::batch_max) {
    answers.resize(message.requests.size(), std::unexpected(errors::invalid_request));
    co_return answers;
  }
  const base::UnixTime now = context.wall();
  std::vector<Draft> drafts;
  std::vector<std::pair<AccessRecord, std::optional<RefreshRecord>>> records;
  for (CreateToken& request : message.requests) {
    const Draft& draft = drafts.emplace_back(this->draft(std::move(request), context));
    records.emplace_back(draft.access, draft.refresh_record);
  }
  const std::vector<bool> are_stored = co_await parts_.storage.write([records = std::move(records)](Tables& t) {
    std::vector<bool> each;
    for (const auto& [access, refresh] : records) each.push_back(store(t, access, refresh));
    return each;
  });
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    answers.push_back(issue(std::move(drafts[i]), are_stored[i], now));
  }
  co_return answers;
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
  if (!claims || (message.caller && !may_introspect(*message.caller, *claims))) co_return std::nullopt;
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
  const ClientId caller = message.caller->id;
  const AuditEvent event = about(auditor_.event(context, "token_revoked", "revoked_by_client"), caller);
  struct Result {
    std::optional<Owned> owned;
    bool is_callers = false;
  };
  auto result = co_await parts_.storage.write([read = *read, now, caller, event](Tables& t) {
    Result done{.owned = owner_of(t, read)};
    done.is_callers = done.owned && done.owned->client == caller;
    if (!done.is_callers) return done;
    const bool has_changed = read.use == TokenUse::access
                                 ? t.grants.revoke_access(read.id, now)
                                 : t.grants.revoke_family(done.owned->family, now, "revoked_by_client");
    AuditEvent what = event;
    what.family = done.owned->family;
    if (has_changed) t.keys.append_event(what);
    return done;
  });
  if (!result.owned) co_return TokenRevoked{};
  if (!result.is_callers) {
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

  // 1. Everything that may be needed is made before the transaction: the ids, and hashes of what follows from them.
  const base::UnixTime now = context.wall();
  const std::uint8_t key = factory_->token_key();
  const crypto::TokenId successor = ids_.next(now, context.random(), read->id.shard(), key);
  const crypto::TokenId access_id = ids_.next(now, context.random(), read->id.shard(), key);
  const TokenText& presented = message.refresh_token;
  const TokenText successor_text = factory_->refresh_token(successor, factory_->secret_after(presented, successor));
  const ShownRefreshToken shown{.read = *read,
                                .client = message.client,
                                .scope = std::move(message.scope),
                                .resources = std::move(message.resources),
                                .successor_id = successor,
                                .successor_hash = crypto::sha256(successor_text.expose()),
                                .access_id = access_id,
                                .hash_of = factory_->hasher(access_id, factory_->secret_after(presented, access_id))};

  // 2. One transaction decides.
  const AuditEvent event = auditor_.event(context, "refresh_token_used");
  auto refreshed = co_await parts_.storage.write([shown, now, event, options = parts_.options](Tables& t) {
    auto outcome = refresh(t, shown, now, options);
    AuditEvent what = about(event, shown.client->id);
    if (!outcome && outcome.error().revoked) {
      what.kind = "refresh_token_reuse";
      what.family = outcome.error().revoked;
      t.keys.append_event(what);
    } else if (outcome) {
      t.keys.append_event(about(what, outcome->grant));
    }
    return outcome;
  });
  if (!refreshed) {
    if (const auto& family = refreshed.error().revoked) tell_revoked(*family);
    co_return std::unexpected(refreshed.error().error);
  }

  // 3. The texts follow from what was shown and from the rows, so a repeat gets the same ones.
  ++refreshed_;
  const crypto::TokenSecret secret = factory_->secret_after(presented, refreshed->access.id);
  IssuedTokens issued = answer(*message.client, refreshed->access, secret, now);
  if (refreshed->successor)
    issued.refresh_token =
        factory_->refresh_token(*refreshed->successor, factory_->secret_after(presented, *refreshed->successor));
  co_return issued;
}

actor::Task<FamilyRevoked> TokenActor::handle(RevokeFamily message, actor::Context& context) {
  const base::UnixTime now = context.wall();
  AuditEvent event = auditor_.event(context, "family_revoked", message.reason);
  event.family = message.family;
  co_await parts_.storage.write([message, now, event](Tables& t) {
    if (t.grants.revoke_family(message.family, now, message.reason)) t.keys.append_event(event);
  });
  ++revoked_;
  tell_revoked(message.family);
  co_return FamilyRevoked{};
}

void TokenActor::inspect(actor::Inspection& out) const {
  out.add("issued", issued_);
  out.add("introspected", introspected_);
  out.add("refreshed", refreshed_);
  out.add("revoked", revoked_);
}

}  // namespace troupe::oauth
