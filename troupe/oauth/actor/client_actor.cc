// See client_actor.h.
#include "troupe/oauth/actor/client_actor.h"

#include "troupe/oauth/actor/readable_client.h"
#include "troupe/oauth/model/client_changes.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/utf8.h"

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

/// Why a client is not let in, for the audit trail alone.
std::string_view reason_of_refusal(const ClientPtr& client, ClientAuthMethod presented) {
  if (!client) return "unknown_client";
  if (client->state != ClientState::enabled) return "disabled";
  if (!may_present(client->metadata.auth_method, presented)) return "another_method";
  return "wrong_secret";
}

/// Whether the trail may have it: strangers make up ids of any length and content.
bool is_plain_id(const ClientId& id) {
  constexpr std::size_t bytes_max = 64;
  return !id.value().empty() && id.value().size() <= bytes_max && wire::is_plain_utf8(id.value());
}

std::string fresh_text(base::Random& random) {
  std::array<std::byte, 32> bytes;
  random.fill(bytes);
  return wire::to_base64url(bytes);
}

}  // namespace

NewClient make_client(ClientMetadata metadata, base::UnixTime now, crypto::TokenIds& ids, base::Random& random) {
  NewClient made;
  made.client = {
      .id = ClientId{"c_" + ids.next(now, random).text()}, .metadata = std::move(metadata), .created_at = now};
  if (!made.client.metadata.has_secret()) return made;
  NewSecret secret = make_secret(made.client.id, now, ids, random);
  made.secret = std::move(secret.secret);
  made.secret_record = std::move(secret.record);
  return made;
}

bool is_secret_of(const std::vector<ClientSecretRecord>& secrets, const crypto::Digest& hash, base::UnixTime now) {
  bool found = false;
  for (const ClientSecretRecord& secret : secrets) {
    const bool is_good = !secret.expires_at || now < *secret.expires_at;
    if (crypto::equal_in_constant_time(secret.hash.view(), hash.view()) && is_good) found = true;
  }
  static const crypto::Digest nobody{};
  for (std::size_t i = secrets.size(); i < 2; ++i) (void)crypto::equal_in_constant_time(nobody.view(), hash.view());
  return found;
}

NewSecret make_secret(const ClientId& client, base::UnixTime now, crypto::TokenIds& ids, base::Random& random) {
  const ClientSecret secret{fresh_text(random)};
  return {.record = {.id = ids.next(now, random),
                     .client = client,
                     .hash = crypto::sha256(secret.expose()),
                     .expires_at = std::nullopt},
          .secret = secret};
}

RegistrationToken fresh_registration_token(base::Random& random) { return RegistrationToken{fresh_text(random)}; }

ClientActor::ClientActor(Storage storage, ClientActorParts parts)
    : storage_(std::move(storage)),
      registrations_max_(static_cast<std::int64_t>(parts.registrations_max)),
      audiences_{parts.issuer, parts.issuer + "/oauth/token"},
      keys_(parts.fetcher) {}

void ClientActor::now_at(std::int64_t generation) {
  if (generation == generation_ && known_.size() < known_max) return;
  known_.clear();
  if (generation_ >= 0 && generation > generation_) damaged_.clear();
  generation_ = std::max(generation, generation_);
}

void ClientActor::changed(const ClientId& id, const OriginsChange& change) {
  known_.erase(id);
  damaged_.erase(id);
  ++forgot_;
  origins_.follow(change);
  if (generation_ == change.from) generation_ = change.to;  // nobody else has changed another client meanwhile
}

void ClientActor::tell(std::span<const DamagedClient> damaged) {
  for (const DamagedClient& each : damaged)
    if (damaged_.insert(each.id).second) tell_damaged(each);
}

actor::Task<std::expected<ClientActor::Known, OauthError>> ClientActor::find(ClientId id) {
  if (const auto known = known_.find(id); known != known_.end()) co_return known->second;
  struct Read {
    std::optional<ClientRow> row;
    std::vector<ClientSecretRecord> secrets;
    std::int64_t generation;
  };
  const auto forgot = forgot_;
  auto read = co_await storage_.read(
      [id](Tables& t) { return Read{t.clients.find_row(id), t.clients.secrets_of(id), t.clients.generation()}; });
  if (read.row && !*read.row) {
    tell({&read.row->error(), 1});
    co_return std::unexpected(damaged_client);
  }
  damaged_.erase(id);
  Known known{.client = nullptr, .secrets = std::move(read.secrets)};
  if (read.row) known.client = std::make_shared<const Client>(**std::move(read.row));
  // Somebody has seen a later one meanwhile, or made one.
  if (read.generation < generation_ || forgot != forgot_) co_return known;
  now_at(read.generation);
  // Unknown ids are not kept: whoever makes them up would fill the memory with them.
  if (known.client) known_.insert_or_assign(id, known);
  co_return known;
}

void ClientActor::handle(const ClientsSeen& message) { now_at(std::max(message.generation, generation_)); }

actor::Task<std::expected<ClientPtr, OauthError>> ClientActor::handle(GetClient message) {
  auto known = co_await find(std::move(message.id));
  if (!known) co_return std::unexpected(known.error());
  co_return std::move(known->client);
}

actor::Task<std::vector<ClientPtr>> ClientActor::handle(ListClients) {
  struct All {
    std::vector<ClientPtr> clients;
    std::vector<DamagedClient> damaged;
  };
  auto all = co_await storage_.read([](Tables& t) {
    All found;
    found.damaged = each_client(
        t, [&](Client&& client) { found.clients.push_back(std::make_shared<const Client>(std::move(client))); });
    return found;
  });
  tell(all.damaged);
  co_return std::move(all.clients);
}

// All are read at once, and again where another process has changed clients: whoever asks for origins that nobody has
// costs no more.
actor::Task<bool> ClientActor::handle(IsClientOrigin message) {
  const bool is_known = origins_.was_read() && (origins_.is_of(generation_) || reads_origins_);
  if (!is_known) {
    const struct Reading {
      explicit Reading(bool& flag) : is_on(flag) { flag = true; }
      ~Reading() { is_on = false; }
      bool& is_on;
    } reading{reads_origins_};
    auto read = co_await storage_.read([](Tables& t) { return ClientOrigins::read(t); });
    now_at(std::max(read.origins.generation(), generation_));
    tell(read.damaged);
    origins_ = std::move(read.origins);
  }
  co_return origins_.contains(message.origin);
}

actor::Task<std::expected<ClientPtr, OauthError>> ClientActor::handle(ValidateClient message, actor::Context& context) {
  const auto held = known_.find(message.id);
  const bool was_held = held != known_.end();
  Known read;
  if (!was_held) {
    auto found = co_await find(message.id);
    if (!found) co_return std::unexpected(found.error());
    read = *std::move(found);
  }
  const Known& known = was_held ? held->second : read;  // which nobody changes before the next await
  // The same steps whether there is such a client or not; only then the verdict.
  const crypto::Digest hash = crypto::sha256(message.secret.expose());
  const bool knows_secret = is_secret_of(known.secrets, hash, context.wall());
  const bool is_enabled = known.client && known.client->state == ClientState::enabled;
  if (is_enabled && may_present(known.client->metadata.auth_method, message.presented)) {
    const bool has_shown_secret = known.client->is_public() ? message.secret.expose().empty() : knows_secret;
    if (has_shown_secret) co_return known.client;
  }
  note_refused(message.id, message.cause, reason_of_refusal(known.client, message.presented), context);
  // Of a client that is held, so that every refusal has taken one look at the database.
  if (was_held) co_await storage_.read([id = message.id](Tables& t) { return t.clients.find_row(id).has_value(); });
  co_return std::unexpected(errors::invalid_client);
}

actor::Task<std::expected<ClientCredentials, OauthError>> ClientActor::handle(RegisterClient message,
                                                                              actor::Context& context) {
  if (const auto fault = fault_in(message.metadata)) co_return std::unexpected(*fault);
  if (const auto fault = fault_in_words(message.metadata.scope)) co_return std::unexpected(*fault);
  if (const auto fault = fault_in_uris(message.metadata.redirect_uris)) co_return std::unexpected(*fault);
  const NewClient made = make_client(std::move(message.metadata), context.wall(), ids_, context.random());
  const bool is_by_itself = message.managed == RegisterClient::Managed::by_itself;
  std::optional<RegistrationToken> token;
  std::optional<crypto::Digest> token_hash;
  if (is_by_itself) token = fresh_registration_token(context.random());
  if (token) token_hash = crypto::sha256(token->expose());
  const std::string gravity{gravity_of(made.client.metadata)};
  const std::string reason = is_by_itself ? by_itself(gravity) : gravity;
  AuditEvent event = about(auditor_.event(context, message.cause, "client_registered", reason), made.client.id);
  const bool has_room = co_await change(made.client.id, [client = made.client, secret = made.secret_record, token_hash,
                                                         event, max = registrations_max_](Tables& t) {
    if (token_hash && t.clients.count_registrations() >= max) return false;
    t.clients.insert(client);
    if (secret) t.clients.insert_secret(*secret);
    if (token_hash) t.clients.put_registration(client.id, *token_hash);
    t.audit.append(event);
    return true;
  });
  if (!has_room) co_return std::unexpected(errors::too_many_requests);
  co_return ClientCredentials{std::make_shared<const Client>(made.client), made.secret, token};
}

void ClientActor::note_refused(const ClientId& id, const Cause& cause, std::string_view reason,
                               actor::Context& context) {
  const auto noted = refusals_.note(reason, context.now());
  if (!noted) return;
  AuditEvent event = auditor_.event(context, cause, "client_refused", *noted);
  if (is_plain_id(id)) event = about(std::move(event), id);
  context.self(this).tell(NoteRefusal{std::move(event)});
}

actor::Task<void> ClientActor::handle(NoteRefusal message) {
  co_await storage_.write([event = std::move(message.event)](Tables& t) { t.audit.append(event); });
}

actor::Task<void> ClientActor::handle(RegistrationRefused message, actor::Context& context) {
  const auto noted = refusals_.note(message.reason, context.now());
  if (!noted) co_return;
  AuditEvent event = auditor_.event(context, message.cause, "registration_refused", *noted);
  if (message.id && is_plain_id(*message.id)) event = about(std::move(event), *message.id);
  co_await storage_.write([event = std::move(event)](Tables& t) { t.audit.append(event); });
}

actor::Task<void> ClientActor::handle(RefusedGrant message, actor::Context& context) {
  const auto noted = refusals_.note(message.reason, context.now());
  if (!noted) co_return;
  AuditEvent event = about(auditor_.event(context, message.cause, "token_refused", *noted), message.id);
  co_await storage_.write([event = std::move(event)](Tables& t) { t.audit.append(event); });
}

void ClientActor::inspect(actor::Inspection& out) const {
  out.add("held", static_cast<std::int64_t>(known_.size()));
  out.add("damaged", static_cast<std::int64_t>(damaged_.size()));
  out.add("refusals_unnoted", refusals_.unnoted());
}

}  // namespace troupe::oauth
