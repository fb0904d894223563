// Client Actor: clients that manage their own registration (RFC 7592). See client_actor.h.
#include "troupe/oauth/actor/client_actor.h"
#include "troupe/oauth/actor/client_endings.h"
#include "troupe/oauth/actor/readable_client.h"
#include "troupe/oauth/model/client_changes.h"
#include "troupe/oauth/model/kept_scope.h"

namespace troupe::oauth {
namespace {

/// Whether the token is that of the client's registration. One that the operator has disabled manages nothing.
bool manages(Tables& tables, const ClientId& id, const crypto::Digest& token_hash) {
  const auto known = tables.clients.find_registration(id);
  static const crypto::Digest nobody{};
  const auto client = tables.clients.find_standing(id);
  if (!client || client->state == ClientState::disabled) return false;
  return crypto::equal_in_constant_time((known ? known->token_hash : nobody).view(), token_hash.view()) && known;
}

/// The metadata that a client gets which asks for `wanted`: what the operator alone says stays.
ClientMetadata metadata_after(const ClientMetadata& present, ClientMetadata wanted) {
  wanted.access_token_format = present.access_token_format;
  wanted.access_token_alg = present.access_token_alg;
  wanted.access_token_ttl = present.access_token_ttl;
  wanted.resources = present.resources;
  return wanted;
}

/// Of what `wanted` asks for what is within `present`: an operator has changed the client, and perhaps taken the rest.
void bound_to(const ClientMetadata& present, ClientMetadata& wanted) {
  // Where a pattern covers what it has, all of that comes along each time.
  wanted.scope = kept_with(wanted.scope.part_within(present.scope), present.scope.part_within(wanted.scope));
  std::erase_if(wanted.grant_types, [&](GrantType type) { return !present.may_use(type); });
  if (present.pkce == PkcePolicy::required) wanted.pkce = PkcePolicy::required;
}

using Updated = std::expected<Client, OauthError>;

/// What comes with a change.
struct Change {
  crypto::Digest next_hash;  // of the registration token that follows
  base::UnixTime now;
  AuditEvent event;
};

Updated update(Tables& tables, const UpdateRegistration& wanted, Change change) {
  auto row = tables.clients.find_row(wanted.id);
  if (!row || !manages(tables, wanted.id, crypto::sha256(wanted.token.expose()))) {
    return std::unexpected(errors::invalid_token);
  }
  if (!*row) {
    tell_damaged(row->error());
    return std::unexpected(damaged_client);
  }
  Client& client = **row;
  if (wanted.secret &&
      !is_secret_of(tables.clients.secrets_of(wanted.id), crypto::sha256(wanted.secret->expose()), change.now)) {
    return std::unexpected(errors::invalid_client_metadata.because("The client_secret is the server's to give."));
  }
  if (const auto fault = fault_in_change(client.metadata, wanted.metadata)) return std::unexpected(*fault);
  const Client before = client;
  client.metadata = metadata_after(before.metadata, wanted.metadata);
  if (tables.clients.find_registration(wanted.id)->is_bounded) bound_to(before.metadata, client.metadata);
  if (client.metadata.grant_types.empty()) {
    return std::unexpected(errors::invalid_client_metadata.because("The operator allows none of these grant_types."));
  }
  change.event.reason = by_itself(write_change(tables, before, client));
  tables.clients.put_registration(wanted.id, change.next_hash);
  tables.audit.append(std::move(change.event));
  return std::move(client);
}

}  // namespace

actor::Task<std::expected<ClientPtr, OauthError>> ClientActor::handle(GetRegistration message) {
  auto row = co_await storage_.read(
      [id = message.id, hash = crypto::sha256(message.token.expose())](Tables& t) -> std::optional<ClientRow> {
        return manages(t, id, hash) ? t.clients.find_row(id) : std::nullopt;
      });
  if (!row) co_return std::unexpected(errors::invalid_token);
  if (!*row) {
    tell({&row->error(), 1});
    co_return std::unexpected(damaged_client);
  }
  co_return std::make_shared<const Client>(**std::move(row));
}

actor::Task<std::expected<ClientCredentials, OauthError>> ClientActor::handle(UpdateRegistration message,
                                                                              actor::Context& context) {
  if (const auto fault = fault_in(message.metadata)) co_return std::unexpected(*fault);
  RegistrationToken next = fresh_registration_token(context.random());
  Change made{crypto::sha256(next.expose()), context.wall(),
              about(auditor_.event(context, message.cause, "client_updated"), message.id)};
  auto updated = co_await change(message.id, [message, made](Tables& t) { return update(t, message, made); });
  if (!updated) co_return std::unexpected(updated.error());
  co_return ClientCredentials{std::make_shared<const Client>(*std::move(updated)), std::nullopt, std::move(next)};
}

actor::Task<std::expected<ClientDeleted, OauthError>> ClientActor::handle(DeleteRegistration message,
                                                                          actor::Context& context) {
  AuditEvent event = about(auditor_.event(context, message.cause, "client_deleted", "by_itself"), message.id);
  const bool was_there = co_await change(message.id, [message, event, now = context.wall()](Tables& t) {
    if (!manages(t, message.id, crypto::sha256(message.token.expose()))) return false;
    remove_client(t, message.id, now);
    t.audit.append(event);
    return true;
  });
  if (!was_there) co_return std::unexpected(errors::invalid_token);
  co_return ClientDeleted{};
}

}  // namespace troupe::oauth
