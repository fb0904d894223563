// See client_actor.h.
#include "troupe/oauth/actor/client_actor.h"

#include "troupe/wire/base64.h"

namespace troupe::oauth {
namespace {

constexpr std::size_t known_max = 10'000;  // about 10 MB; past it everything is read anew

/// Whether a client that is registered for `registered` may come by `presented`.
bool may_present(ClientAuthMethod registered, ClientAuthMethod presented) noexcept {
  if (registered == presented) return true;
  const bool by_secret =
      presented == ClientAuthMethod::client_secret_basic || presented == ClientAuthMethod::client_secret_post;
  return registered == ClientAuthMethod::client_secret && by_secret;
}

/// Whether `hash` is one of the secrets that are good now; compares with all of them, and always with two.
bool is_one_of(const std::vector<ClientSecretRecord>& secrets, const crypto::Digest& hash, base::UnixTime now) {
  bool found = false;
  for (const ClientSecretRecord& secret : secrets) {
    const bool is_good = !secret.expires_at || now < *secret.expires_at;
    if (crypto::equal_in_constant_time(secret.hash.view(), hash.view()) && is_good) found = true;
  }
  static const crypto::Digest nobody{};
  for (std::size_t i = secrets.size(); i < 2; ++i) (void)crypto::equal_in_constant_time(nobody.view(), hash.view());
  return found;
}

}  // namespace

NewClient make_client(ClientMetadata metadata, base::UnixTime now, crypto::TokenIds& ids, base::Random& random) {
  NewClient made;
  made.client = {
      .id = ClientId{"c_" + ids.next(now, random).text()}, .metadata = std::move(metadata), .created_at = now};
  if (made.client.is_public()) return made;
  std::array<std::byte, 32> bytes;
  random.fill(bytes);
  made.secret = ClientSecret{wire::to_base64url(bytes)};
  made.secret_record = {.id = ids.next(now, random),
                        .client = made.client.id,
                        .hash = crypto::sha256(made.secret->expose()),
                        .expires_at = std::nullopt};
  return made;
}

void set_state(Tables& tables, Client& client, ClientState state, base::UnixTime now) {
  const bool ends = client.state == ClientState::enabled && state == ClientState::disabled;
  client.state = state;
  if (!ends) return;
  client.valid_from = now;
  tables.grants.append_ending({.at = now, .client = client.id, .user = std::nullopt});
}

bool remove_client(Tables& tables, const ClientId& id, base::UnixTime now) {
  if (!tables.clients.remove(id)) return false;
  tables.grants.append_ending({.at = now, .client = id, .user = std::nullopt});
  return true;
}

ClientActor::ClientActor(Storage storage) : storage_(std::move(storage)) {}

void ClientActor::now_at(std::int64_t generation) {
  if (generation == generation_ && known_.size() < known_max) return;
  known_.clear();
  generation_ = std::max(generation, generation_);
}

actor::Task<ClientActor::Known> ClientActor::find(ClientId id) {
  if (const auto known = known_.find(id); known != known_.end()) co_return known->second;
  struct Read {
    std::optional<Client> client;
    std::vector<ClientSecretRecord> secrets;
    std::int64_t generation;
  };
  auto read = co_await storage_.read(
      [id](Tables& t) { return Read{t.clients.find(id), t.clients.secrets_of(id), t.clients.generation()}; });
  Known known{.client = nullptr, .secrets = std::move(read.secrets)};
  if (read.client) known.client = std::make_shared<const Client>(std::move(*read.client));
  if (read.generation < generation_) co_return known;  // somebody has seen a later one meanwhile
  now_at(read.generation);
  // Unknown ids are not kept: whoever makes them up would fill the memory with them.
  if (known.client) known_.insert_or_assign(id, known);
  co_return known;
}

void ClientActor::handle(const ClientsSeen& message) { now_at(std::max(message.generation, generation_)); }

actor::Task<ClientPtr> ClientActor::handle(GetClient message) {
  auto known = co_await find(std::move(message.id));
  co_return known.client;
}

actor::Task<std::vector<ClientPtr>> ClientActor::handle(ListClients) {
  auto clients = co_await storage_.read([](Tables& t) {
    std::vector<ClientPtr> all;
    for (std::vector<Client> page = t.clients.list(ClientId{}, 1000); !page.empty();
         page = t.clients.list(all.back()->id, 1000))
      for (Client& client : page) all.push_back(std::make_shared<const Client>(std::move(client)));
    return all;
  });
  co_return clients;
}

actor::Task<std::expected<ClientPtr, OauthError>> ClientActor::handle(ValidateClient message, actor::Context& context) {
  auto known = co_await find(message.id);
  // The same steps whether there is such a client or not; only then the verdict.
  const crypto::Digest hash = crypto::sha256(message.secret.expose());
  const bool knows_secret = is_one_of(known.secrets, hash, context.wall());
  const bool is_enabled = known.client && known.client->state == ClientState::enabled;
  if (!is_enabled || !may_present(known.client->metadata.auth_method, message.presented))
    co_return std::unexpected(errors::invalid_client);
  const bool has_shown_secret = known.client->is_public() ? message.secret.expose().empty() : knows_secret;
  if (!has_shown_secret) co_return std::unexpected(errors::invalid_client);
  co_return known.client;
}

actor::Task<std::expected<ClientCredentials, OauthError>> ClientActor::handle(RegisterClient message,
                                                                              actor::Context& context) {
  if (const auto fault = fault_in(message.metadata)) co_return std::unexpected(*fault);
  const NewClient made = make_client(std::move(message.metadata), context.wall(), ids_, context.random());
  const AuditEvent event = about(auditor_.event(context, "client_registered"), made.client.id);
  co_await storage_.write([client = made.client, secret = made.secret_record, event](Tables& t) {
    t.clients.insert(client);
    if (secret) t.clients.insert_secret(*secret);
    t.keys.append_event(event);
  });
  co_return ClientCredentials{std::make_shared<const Client>(made.client), made.secret};
}

actor::Task<std::expected<ClientPtr, OauthError>> ClientActor::handle(UpdateClient message, actor::Context& context) {
  if (const auto fault = fault_in(message.metadata)) co_return std::unexpected(*fault);
  const AuditEvent event = about(auditor_.event(context, "client_updated"), message.id);
  auto updated = co_await storage_.write([message, event, now = context.wall()](Tables& t) -> std::optional<Client> {
    auto client = t.clients.find(message.id);
    if (!client) return std::nullopt;
    client->metadata = message.metadata;
    set_state(t, *client, message.state, now);
    ++client->version;
    t.clients.update(*client);
    if (client->is_public())
      for (const ClientSecretRecord& secret : t.clients.secrets_of(message.id)) t.clients.remove_secret(secret.id);
    t.keys.append_event(event);
    return client;
  });
  known_.erase(message.id);
  if (!updated) co_return std::unexpected(errors::invalid_client);
  co_return std::make_shared<const Client>(std::move(*updated));
}

actor::Task<std::expected<ClientDeleted, OauthError>> ClientActor::handle(DeleteClient message,
                                                                          actor::Context& context) {
  const AuditEvent event = about(auditor_.event(context, "client_deleted"), message.id);
  const bool was_there = co_await storage_.write([id = message.id, event, now = context.wall()](Tables& t) {
    const bool removed = remove_client(t, id, now);
    if (removed) t.keys.append_event(event);
    return removed;
  });
  known_.erase(message.id);
  if (!was_there) co_return std::unexpected(errors::invalid_client);
  co_return ClientDeleted{};
}

void ClientActor::inspect(actor::Inspection& out) const { out.add("held", static_cast<std::int64_t>(known_.size())); }

}  // namespace troupe::oauth
