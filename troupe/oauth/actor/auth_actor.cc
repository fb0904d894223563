// See auth_actor.h.
#include "troupe/oauth/actor/auth_actor.h"

#include <stdexcept>

#include "troupe/oauth/actor/liveness.h"

namespace troupe::oauth {
namespace {

constexpr std::size_t spent_max = 10'000;  // about 2 MB; an older replay goes to the database once more

/// What a code would stand on may have gone since its flow began: the client, which may have been changed, disabled or
/// removed, the session, or the consent. The request has its client as the Client Actor knew it then; the table
/// decides.
std::optional<AuthRefusal> gone_meanwhile(Tables& tables, const AuthRequest& request, const Grant& grant) {
  if (auto fault = fault_since(request, grant.scope, tables.clients.find(grant.client))) return fault;
  const Authentication& by = *grant.authentication;
  if (has_ended(tables, by.session)) return refusal_of(request, errors::login_required);
  const auto consent = tables.users.find_consent(by.user, grant.client);
  if (!consent || !grant.scope.is_within(consent->scope)) return refusal_of(request, errors::consent_required);
  return std::nullopt;
}

}  // namespace

AuthActor::AuthActor(AuthActorParts parts) : parts_(std::move(parts)) {}

actor::Task<void> AuthActor::started(actor::Context& context) {
  actor::Topic<KeysChanged>{context, keys_topic}.subscribe(context, this);
  auto keys = co_await parts_.keys.ask(GetKeys{}, {.within = std::chrono::seconds{30}});
  if (!keys) throw std::runtime_error("the Auth Actor has got no keys: " + keys.error().what);
  factory_.emplace(parts_.options->issuer, *keys);
}

void AuthActor::handle(KeysChanged message) {
  if (factory_) factory_->use(std::move(message.keys));
}

actor::Task<std::expected<AuthRequest, AuthRefusal>> AuthActor::handle(ValidateAuthRequest message) {
  const std::string client_id{message.parameters.get("client_id").value_or("")};
  auto client = co_await parts_.clients.ask(GetClient{ClientId{client_id}});
  if (!client) {
    // One whose row is damaged will be so later, too.
    co_return std::unexpected(AuthRefusal{.error = client.error().domain.value_or(errors::temporarily_unavailable)});
  }
  auto request = check_auth_request(message.parameters, *client, parts_.options);
  const auto hint = message.parameters.get("id_token_hint");
  if (!request || !hint || hint->empty()) co_return request;
  const auto hinted = factory_->read_id_token(*hint);
  const bool is_known = hinted && hinted->client == request->client->id;
  if (!is_known || (request->subject && *request->subject != hinted->user)) {
    constexpr std::string_view why = "The id_token_hint is no ID token of this client.";
    co_return std::unexpected(refusal_of(*request, errors::invalid_request.because(why)));
  }
  request->subject = hinted->user;
  co_return request;
}

actor::Task<std::expected<IssuedCode, AuthRefusal>> AuthActor::handle(CreateAuthCode message, actor::Context& context) {
  const base::UnixTime now = context.wall();
  // The shard is drawn once for the family; every id in it bears the same, so that one actor owns them all.
  const auto shard = static_cast<std::uint16_t>(context.random().next());
  const std::uint8_t key = factory_->token_key();
  const crypto::TokenId family = ids_.next(now, context.random(), shard, key);
  const crypto::TokenId id = ids_.next(now, context.random(), shard, key);
  const TokenText text = factory_->code(id, crypto::fresh_secret(context.random()));
  const AuthRequest& request = message.request;
  AuthCode code{.id = id,
                .hash = crypto::sha256(text.expose()),
                .grant = {.family = FamilyId{family.text()},
                          .client = request.client->id,
                          .scope = message.scope,
                          .audience = request.audience,
                          .authentication = message.authentication,
                          .nonce = request.nonce,
                          .id_token_claims = request.id_token_claims},
                .redirect_uri = request.redirect_uri_was_sent ? request.redirect_uri : "",
                .code_challenge = request.code_challenge,
                .expires_at = now + parts_.options->code_ttl};
  AuditEvent event = about(about(auditor_.event(context, message.cause, "code_made"), code.grant), id);
  const auto refusal =
      co_await parts_.storage.write([code = std::move(code), event = std::move(event),
                                     request = std::move(message.request)](Tables& t) -> std::optional<AuthRefusal> {
        if (auto gone = gone_meanwhile(t, request, code.grant)) return gone;
        t.grants.insert_code(code);
        t.audit.append(event);
        return std::nullopt;
      });
  if (refusal) co_return std::unexpected(*refusal);
  ++codes_made_;
  co_return IssuedCode{text};
}

actor::Task<std::expected<WayBackStands, OauthError>> AuthActor::handle(CheckWayBack message) {
  const auto fault = co_await parts_.storage.read(
      [message](Tables& t) { return fault_in_address(t.clients.find(message.client), message.redirect_uri); });
  if (fault) co_return std::unexpected(*fault);
  co_return WayBackStands{};
}

bool AuthActor::is_settled(const ReadToken& read, const ClientId& client) const {
  const auto spent = spent_.find(read.id);
  if (spent == spent_.end()) return false;
  return spent->second.client != client || spent->second.family == Spent::Family::revoked;
}

void AuthActor::remember(const crypto::TokenId& code, const ClientId& client, Spent::Family family) {
  const auto [spent, is_new] = spent_.try_emplace(code, client, family);
  if (family == Spent::Family::revoked) spent->second.family = family;
  if (!is_new) return;
  spent_order_.push_back(code);
  if (spent_order_.size() <= spent_max) return;
  spent_.erase(spent_order_.front());
  spent_order_.pop_front();
}

actor::Task<std::expected<IssuedTokens, OauthError>> AuthActor::handle(ValidateAuthCode message) {
  // 1. Garbage and settled replays cost no transaction.
  const auto read = factory_->read_code(message.code.expose());
  if (!read) co_return std::unexpected(errors::invalid_grant);
  const ClientId client = message.client->id;
  if (is_settled(*read, client)) {
    ++replays_;
    co_return std::unexpected(errors::invalid_grant);
  }

  // 2. All others are decided by a transaction, and the first of them spends the code.
  auto tokens = co_await parts_.tokens.ask(ExchangeCode{.client = std::move(message.client),
                                                        .shown = {.read = *read,
                                                                  .client = client,
                                                                  .redirect_uri = std::move(message.redirect_uri),
                                                                  .code_verifier = std::move(message.code_verifier),
                                                                  .resources = std::move(message.resources)},
                                                        .cause = std::move(message.cause)});
  if (tokens) {
    remember(read->id, client, Spent::Family::alive);
    ++codes_redeemed_;
    co_return std::move(*tokens);
  }
  const auto& refusal = tokens.error().domain;
  if (!refusal) co_return std::unexpected(errors::temporarily_unavailable);
  if (refusal->is_replay) {
    ++replays_;
    remember(read->id, client, Spent::Family::revoked);
  }
  co_return std::unexpected(refusal->error);
}

void AuthActor::inspect(actor::Inspection& out) const {
  out.add("codes_made", codes_made_);
  out.add("codes_redeemed", codes_redeemed_);
  out.add("replays", replays_);
}

}  // namespace troupe::oauth
