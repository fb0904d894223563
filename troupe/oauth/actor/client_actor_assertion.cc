// Client Actor: clients that prove themselves by a signature (RFC 7523). See client_actor.h.
#include "troupe/oauth/actor/client_actor.h"
#include "troupe/oauth/model/client_assertion.h"

namespace troupe::oauth {
namespace {

/// What is kept of an assertion that was shown: another client may use the same `jti`.
crypto::Digest mark_of(const ClientId& client, const std::string& jti) {
  return crypto::sha256(client.value() + '\n' + jti);  // no id of ours has a line break
}

}  // namespace

actor::Task<std::expected<ClientPtr, OauthError>> ClientActor::handle(ValidateAssertion message,
                                                                      actor::Context& context) {
  // 1. Whose it says it is; nothing of that is proven.
  const auto hint = read_assertion_hint(message.assertion.expose());
  if (!hint || (message.named && *message.named != hint->client)) co_return std::unexpected(errors::invalid_client);
  auto known = co_await find(hint->client);
  const bool may_assert = known.client && known.client->state == ClientState::enabled &&
                          known.client->metadata.auth_method == ClientAuthMethod::private_key_jwt;
  if (!may_assert) co_return std::unexpected(errors::invalid_client);

  // 2. It holds.
  const ClientKeysPtr keys = co_await keys_.keys_of(known.client, hint->kid, context.self(this), context);
  if (!keys) co_return std::unexpected(errors::invalid_client);
  const auto good = check_assertion(message.assertion.expose(), *known.client, *keys, audiences_, context.wall());
  if (!good) co_return std::unexpected(errors::invalid_client);

  // 3. It is shown for the first time.
  const AuditEvent replay = about(auditor_.event(context, "client_assertion_replay"), known.client->id);
  const bool is_first = co_await storage_.write(
      [mark = mark_of(known.client->id, good->jti), end = good->expires_at + assertion_skew, replay](Tables& t) {
        if (t.clients.use_assertion(mark, end)) return true;
        t.audit.append(replay);
        return false;
      });
  if (!is_first) co_return std::unexpected(errors::invalid_client);
  co_return known.client;
}

actor::Task<void> ClientActor::handle(FetchClientKeys message, actor::Context& context) {
  co_await keys_.fetch(std::move(message.client), context);
}

}  // namespace troupe::oauth
