// Client Actor: what is done to clients by those who administer. See client_actor.h.
#include "troupe/oauth/actor/client_actor.h"
#include "troupe/oauth/actor/client_endings.h"
#include "troupe/oauth/model/client_changes.h"

namespace troupe::oauth {

void renew_secret(Tables& tables, const ClientSecretRecord& fresh, base::UnixTime now, std::chrono::seconds overlap) {
  std::vector<ClientSecretRecord> before = tables.clients.secrets_of(fresh.client);  // oldest first
  for (const ClientSecretRecord& secret : before) tables.clients.remove_secret(secret.id);
  if (!before.empty() && overlap.count() > 0) {
    ClientSecretRecord& newest = before.back();
    const base::UnixTime end = now + overlap;
    if (!newest.expires_at || end < *newest.expires_at) newest.expires_at = end;
    tables.clients.insert_secret(newest);
  }
  tables.clients.insert_secret(fresh);
}

std::string write_change(Tables& tables, const Client& before, Client& after) {
  ++after.version;
  tables.clients.update(after);
  if (!after.metadata.has_secret())
    for (const ClientSecretRecord& secret : tables.clients.secrets_of(after.id))
      tables.clients.remove_secret(secret.id);
  return changes_between(before, after);
}

namespace {

/// One at least, where there is one. Few are read at once, so that little is read that is not wanted.
ClientPage page_of_clients(Tables& tables, const ListClientPage& wanted) {
  constexpr int step = 50;
  ClientPage page;
  std::size_t bytes = 0;
  ClientId last = wanted.after;
  for (auto rows = tables.clients.list(last, step); !rows.empty(); rows = tables.clients.list(last, step)) {
    for (ClientRow& row : rows) {
      const auto count = std::ssize(page.clients) + std::ssize(page.damaged);
      if (count > 0 && (count >= wanted.count || bytes >= wanted.bytes_max)) {
        page.rest = ClientPage::Rest::more;
        return page;
      }
      page.last = last = id_of(row);
      if (row) {
        bytes += bytes_of(row->metadata);
        page.clients.push_back(std::make_shared<const Client>(*std::move(row)));
      } else {
        page.damaged.push_back(std::move(row.error()));
      }
    }
  }
  return page;
}

/// Why the client may not become this, or nothing. What it has had all along is in nobody's way, be it what none is
/// given any more: else whoever has such a client could not disable it.
std::optional<OauthError> fault_in_update(const ClientMetadata& before, const ClientMetadata& wanted) {
  if (is_same(before, wanted)) return std::nullopt;
  if (const auto fault = fault_in(wanted)) return fault;
  if (const auto fault = fault_in_words(wanted.scope, before.scope)) return fault;
  return fault_in_uris(wanted.redirect_uris, before.redirect_uris);
}

}  // namespace

actor::Task<ClientPage> ClientActor::handle(ListClientPage message) {
  auto page = co_await storage_.read([message](Tables& t) { return page_of_clients(t, message); });
  tell(page.damaged);
  co_return page;
}

actor::Task<std::expected<ClientPtr, OauthError>> ClientActor::handle(UpdateClient message, actor::Context& context) {
  AuditEvent event = about(auditor_.event(context, message.cause, "client_updated"), message.id);
  using Updated = std::expected<Client, OauthError>;
  auto updated = co_await change(message.id, [message, event, now = context.wall()](Tables& t) -> Updated {
    auto client = t.clients.find(message.id);
    if (!client) return std::unexpected(errors::invalid_client);
    if (message.version && client->version != *message.version) return std::unexpected(errors::changed_meanwhile);
    if (const auto fault = fault_in_update(client->metadata, message.metadata)) return std::unexpected(*fault);
    const Client before = *client;
    client->metadata = message.metadata;
    client->state = message.state;
    if (changes_between(before, *client).empty()) return before;
    client->state = before.state;
    set_state(t, *client, message.state, now);
    AuditEvent told = event;
    told.reason = write_change(t, before, *client);
    t.clients.bound_registration(message.id);
    t.audit.append(told);
    return *std::move(client);
  });
  if (!updated) co_return std::unexpected(updated.error());
  co_return std::make_shared<const Client>(*std::move(updated));
}

actor::Task<std::expected<ClientDeleted, OauthError>> ClientActor::handle(DeleteClient message,
                                                                          actor::Context& context) {
  AuditEvent event = about(auditor_.event(context, message.cause, "client_deleted"), message.id);
  using Deleted = std::expected<ClientDeleted, OauthError>;
  auto deleted = co_await change(message.id, [message, event, now = context.wall()](Tables& t) -> Deleted {
    const auto client = t.clients.find(message.id);
    if (!client) return std::unexpected(errors::invalid_client);
    if (message.version && client->version != *message.version) return std::unexpected(errors::changed_meanwhile);
    remove_client(t, message.id, now);
    t.audit.append(event);
    return ClientDeleted{};
  });
  co_return deleted;
}

actor::Task<std::expected<FreshSecret, OauthError>> ClientActor::handle(RenewClientSecret message,
                                                                        actor::Context& context) {
  const base::UnixTime now = context.wall();
  NewSecret fresh = make_secret(message.id, now, ids_, context.random());
  AuditEvent event = about(auditor_.event(context, message.cause, "client_secret_renewed"), message.id);
  const auto refusal =
      co_await change(message.id, [message, event, now, fresh](Tables& t) -> std::optional<OauthError> {
        const auto client = t.clients.find(message.id);
        if (!client) return errors::invalid_client;
        if (message.version && client->version != *message.version) return errors::changed_meanwhile;
        if (!client->metadata.has_secret())
          return errors::invalid_client_metadata.because("This client has no secret.");
        renew_secret(t, fresh.record, now, message.overlap);
        t.audit.append(event);
        return std::nullopt;
      });
  if (refusal) co_return std::unexpected(*refusal);
  co_return FreshSecret{fresh.secret};
}

}  // namespace troupe::oauth
