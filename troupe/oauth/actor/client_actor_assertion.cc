// Client Actor: clients that prove themselves by a signature (RFC 7523). See client_actor.h.
#include "troupe/oauth/actor/client_actor.h"
#include "troupe/oauth/model/client_assertion.h"

namespace troupe::oauth {
namespace {

/// What is kept of an assertion that was shown: another client may use the same `jti`.
crypto::Digest mark_of(const ClientId& client, const std::string& jti) {
  return crypto::sha256(client.value() + '\n' + jti);  // no id of ours has a line break
}

/// Why an assertion of this client is not even looked at, for the audit trail alone; nothing where it is.
std::optional<std::string_view> reason_to_refuse(const ClientPtr& client) {
  if (!client) return "unknown_client";
  if (client->state != ClientState::enabled) return "disabled";
  if (client->metadata.auth_method != ClientAuthMethod::private_key_jwt) return "another_method";
  return std::nullopt;
}

}  // namespace

actor::Task<std::expected<ClientPtr, OauthError>> ClientActor::handle(ValidateAssertion message,
                                                                      actor::Context& context) {
  const auto refused = [&](const ClientId& client, std::string_view reason) {
    note_refused(client, message.cause, reason, context);
    return std::unexpected(errors::invalid_client);
  };
  // 1. Whose it says it is; nothing of that is proven.
  const auto hint = read_assertion_hint(message.assertion.expose());
  if (!hint) co_return refused(message.named.value_or(ClientId{}), "assertion_malformed");
  if (message.named && *message.named != hint->client) co_return refused(*message.named, "assertion_of_another");
  auto known = co_await find(hint->client);
  if (!known) co_return std::unexpected(known.error());
  const ClientPtr client = std::move(known->client);
  if (const auto reason = reason_to_refuse(client)) co_return refused(hint->client, *reason);

  // 2. It holds.
  const auto keys = co_await keys_.keys_of(client, hint->kid, context.self(this), context);
  if (!keys) co_return std::unexpected(keys.error());
  if (!*keys) co_return refused(client->id, "no_keys");
  const auto good = check_assertion(message.assertion.expose(), *client, **keys, audiences_, context.wall());
  if (!good) co_return refused(client->id, text(good.error()));

  // 3. It is shown for the first time.
  const bool is_first =
      co_await storage_.write([mark = mark_of(client->id, good->jti), end = good->expires_at + assertion_skew](
                                  Tables& t) { return t.clients.use_assertion(mark, end); });
  if (!is_first) co_return refused(client->id, "assertion_replay");
  co_return client;
}

actor::Task<void> ClientActor::handle(FetchClientKeys message, actor::Context& context) {
  co_await keys_.fetch(std::move(message), context);
}

}  // namespace troupe::oauth
