// See clients.h.
#include "troupe/oauth/storage/clients.h"

#include <fmt/format.h>

#include "troupe/oauth/storage/columns.h"
#include "troupe/oauth/storage/rows.h"
#include "troupe/wire/json.h"
#include "troupe/wire/utf8.h"

namespace troupe::oauth {
namespace {

constexpr std::string_view columns =
    "id, name, auth_method, redirect_uris, post_logout_redirect_uris, grant_types, scope, requires_pkce, "
    "has_opaque_tokens, access_token_alg, id_token_alg, access_token_seconds, is_disabled, created_at, version, "
    "valid_from, jwks, jwks_uri, auth_signing_alg, backchannel_logout_uri, logout_requires_session, resources";

std::vector<GrantType> grant_types_in(std::string_view text) {
  std::vector<GrantType> types;
  for (const std::string& name : split(text))
    if (const auto type = grant_type_named(name)) types.push_back(*type);
  return types;
}

ClientState state_in(const store::Row& row, int column) {
  return row.integer(column) != 0 ? ClientState::disabled : ClientState::enabled;
}

[[noreturn]] void throw_damaged(const std::string& why) { throw store::Error{store::Failure::wrong_schema, 0, why}; }

/// A text that a document may show: what is no UTF-8 would make all of the document unreadable.
std::string shown_text(const store::Row& row, int column) {
  std::string text = row.text(column);
  if (!wire::is_utf8(text)) throw_damaged(fmt::format("column {} holds no UTF-8", column));
  return text;
}

/// The same of a text that documents show as the JSON that it is.
std::string shown_json(const store::Row& row, int column) {
  std::string text = row.text(column);
  const bool is_shown = text.empty() || wire::parse_json(text);
  if (!is_shown) throw_damaged(fmt::format("column {} holds no JSON", column));
  return text;
}

Client client_in(const store::Row& row) {
  const auto method = client_auth_method_named(row.text(2));
  if (!method) throw_damaged("column 2 holds no authentication method");
  ClientMetadata metadata{
      .name = shown_text(row, 1),
      .auth_method = *method,
      .redirect_uris = split(shown_text(row, 3)),
      .post_logout_redirect_uris = split(shown_text(row, 4)),
      .grant_types = grant_types_in(row.text(5)),
      .scope = scope_in(row, 6),
      .pkce = row.integer(7) != 0 ? PkcePolicy::required : PkcePolicy::optional,
      .access_token_format = row.integer(8) != 0 ? AccessTokenFormat::opaque : AccessTokenFormat::jwt,
      .access_token_alg = algorithm_in(row, 9),
      .id_token_alg = algorithm_in(row, 10),
      .jwks = shown_json(row, 16),
      .jwks_uri = shown_text(row, 17),
      .backchannel_logout_uri = shown_text(row, 19),
      .logout_requires_session = row.integer(20) != 0,
      .resources = split(shown_text(row, 21))};
  if (const auto seconds = row.maybe_integer(11)) metadata.access_token_ttl = std::chrono::seconds{*seconds};
  if (!row.is_null(18)) metadata.auth_signing_alg = algorithm_in(row, 18);
  return {.id = ClientId{row.text(0)},
          .metadata = std::move(metadata),
          .state = state_in(row, 12),
          .created_at = time_in(row, 13),
          .valid_from = time_in(row, 15),
          .version = row.integer(14)};
}

ClientRow row_in(const store::Row& row) {
  try {
    return client_in(row);
  } catch (const store::Error& error) {
    // From the row alone, which is in memory: no statement has failed.
    return std::unexpected(DamagedClient{ClientId{row.text(0)}, error.what()});
  }
}

std::string joined_names(const std::vector<GrantType>& types) {
  std::vector<std::string> names;
  for (const GrantType type : types) names.emplace_back(text(type));
  return joined(names);
}

/// Runs `sql`, whose ?1 to ?22 are the client's columns in their order.
std::int64_t run_with(store::Transaction& transaction, std::string_view sql, const Client& client) {
  const ClientMetadata& m = client.metadata;
  const std::string uris = joined(m.redirect_uris);
  const std::string logout_uris = joined(m.post_logout_redirect_uris);
  const std::string grant_types = joined_names(m.grant_types);
  const std::string resources = joined(m.resources);
  const std::string scope = m.scope.text();
  std::optional<std::int64_t> seconds;
  if (m.access_token_ttl) seconds = m.access_token_ttl->count();
  store::Value auth_alg{std::nullopt};
  if (m.auth_signing_alg) auth_alg = crypto::name_of(*m.auth_signing_alg);
  return transaction.run(sql, {column_of(client.id),
                               m.name,
                               text(m.auth_method),
                               uris,
                               logout_uris,
                               grant_types,
                               scope,
                               column_of_truth(m.pkce == PkcePolicy::required),
                               column_of_truth(m.access_token_format == AccessTokenFormat::opaque),
                               crypto::name_of(m.access_token_alg),
                               crypto::name_of(m.id_token_alg),
                               seconds,
                               column_of_truth(client.state == ClientState::disabled),
                               column_of(client.created_at),
                               client.version,
                               column_of(client.valid_from),
                               m.jwks,
                               m.jwks_uri,
                               auth_alg,
                               m.backchannel_logout_uri,
                               column_of_truth(m.logout_requires_session),
                               resources});
}

std::string select(std::string_view rest) { return fmt::format("SELECT {} FROM clients {}", columns, rest); }

}  // namespace

std::optional<Client> ClientTable::find(const ClientId& id) {
  auto row = find_row(id);
  if (!row) return std::nullopt;
  if (!*row) throw_damaged(fmt::format("the client {} cannot be read: {}", id.value(), row->error().why));
  return **std::move(row);
}

void MemoryClients::insert(const Client& client) {
  insert_into(clients_, client.id, client);
  ++generation_;
}

std::optional<ClientRow> MemoryClients::find_row(const ClientId& id) { return found_in(clients_, id); }
std::optional<ClientStanding> MemoryClients::find_standing(const ClientId& id) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) return std::nullopt;
  return ClientStanding{found->second.state, found->second.valid_from};
}

std::vector<ClientRow> MemoryClients::list(const ClientId& after, int count) {
  std::vector<Client> page = page_of(clients_, after, count);
  return {std::make_move_iterator(page.begin()), std::make_move_iterator(page.end())};
}

bool MemoryClients::update(const Client& client) {
  const auto known = find(client.id);
  if (!known || known->version + 1 != client.version) return false;
  ++generation_;
  return update_in(clients_, client.id, client);
}

bool MemoryClients::remove(const ClientId& id) {
  std::erase_if(secrets_, [&](const auto& entry) { return entry.second.client == id; });
  registrations_.erase(id);
  ++generation_;
  return clients_.erase(id) == 1;
}

void MemoryClients::insert_secret(const ClientSecretRecord& secret) {
  if (!clients_.contains(secret.client)) throw_conflict("a secret of no client");
  insert_into(secrets_, secret.id, secret);
  ++generation_;
}

std::vector<ClientSecretRecord> MemoryClients::secrets_of(const ClientId& id) {
  std::vector<ClientSecretRecord> secrets;
  for (const auto& [key, secret] : secrets_)
    if (secret.client == id) secrets.push_back(secret);
  return secrets;
}

bool MemoryClients::remove_secret(const crypto::TokenId& id) {
  ++generation_;
  return secrets_.erase(id) == 1;
}

void MemoryClients::put_registration(const ClientId& id, const crypto::Digest& token_hash) {
  if (!clients_.contains(id)) throw_conflict("a registration of no client");
  registrations_[id].token_hash = token_hash;
}

void MemoryClients::bound_registration(const ClientId& id) {
  const auto found = registrations_.find(id);
  if (found != registrations_.end()) found->second.is_bounded = true;
}

std::optional<RegistrationRecord> MemoryClients::find_registration(const ClientId& id) {
  return found_in(registrations_, id);
}

std::int64_t MemoryClients::count_registrations() { return std::ssize(registrations_); }

bool MemoryClients::use_assertion(const crypto::Digest& hash, base::UnixTime expires_at) {
  return assertions_.emplace(std::string{hash.view()}, expires_at).second;
}

int MemoryClients::remove_assertions_expired(base::UnixTime end, int count) {
  int removed = 0;
  for (auto each = assertions_.begin(); each != assertions_.end() && removed < count;) {
    const bool is_over = each->second <= end;
    each = is_over ? assertions_.erase(each) : std::next(each);
    removed += is_over ? 1 : 0;
  }
  return removed;
}

std::int64_t MemoryClients::generation() { return generation_; }

void SqlClients::insert(const Client& client) {
  static const std::string sql = fmt::format(
      "INSERT INTO clients ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
      "?17, ?18, ?19, ?20, ?21, ?22)",
      columns);
  run_with(transaction_, sql, client);
}

std::optional<ClientRow> SqlClients::find_row(const ClientId& id) {
  static const std::string sql = select("WHERE id = ?1");
  return transaction_.first(sql, {column_of(id)}, row_in);
}

std::optional<ClientStanding> SqlClients::find_standing(const ClientId& id) {
  return transaction_.first("SELECT is_disabled, valid_from FROM clients WHERE id = ?1", {column_of(id)},
                            [](const store::Row& row) { return ClientStanding{state_in(row, 0), time_in(row, 1)}; });
}

std::vector<ClientRow> SqlClients::list(const ClientId& after, int count) {
  static const std::string sql = select("WHERE id > ?1 ORDER BY id LIMIT ?2");
  std::vector<ClientRow> page;
  transaction_.each(sql, {column_of(after), count}, [&](const store::Row& row) { page.push_back(row_in(row)); });
  return page;
}

bool SqlClients::update(const Client& client) {
  return run_with(transaction_,
                  "UPDATE clients SET name = ?2, auth_method = ?3, redirect_uris = ?4, post_logout_redirect_uris = ?5, "
                  "grant_types = ?6, scope = ?7, requires_pkce = ?8, has_opaque_tokens = ?9, access_token_alg = ?10, "
                  "id_token_alg = ?11, access_token_seconds = ?12, is_disabled = ?13, created_at = ?14, version = ?15, "
                  "valid_from = ?16, jwks = ?17, jwks_uri = ?18, auth_signing_alg = ?19, backchannel_logout_uri = ?20, "
                  "logout_requires_session = ?21, resources = ?22 "
                  "WHERE id = ?1 AND version + 1 = ?15",
                  client) == 1;
}

bool SqlClients::remove(const ClientId& id) {
  return transaction_.run("DELETE FROM clients WHERE id = ?1", {column_of(id)}) == 1;
}

void SqlClients::insert_secret(const ClientSecretRecord& secret) {
  transaction_.send(
      "INSERT INTO client_secrets (id, client, hash, expires_at) VALUES (?1, ?2, ?3, ?4)",
      {column_of(secret.id), column_of(secret.client), column_of(secret.hash), column_of(secret.expires_at)});
}

std::vector<ClientSecretRecord> SqlClients::secrets_of(const ClientId& id) {
  std::vector<ClientSecretRecord> secrets;
  transaction_.each(
      "SELECT id, hash, expires_at FROM client_secrets WHERE client = ?1 ORDER BY id", {column_of(id)},
      [&](const store::Row& row) { secrets.push_back({id_in(row, 0), id, hash_in(row, 1), maybe_time_in(row, 2)}); });
  return secrets;
}

bool SqlClients::remove_secret(const crypto::TokenId& id) {
  return transaction_.run("DELETE FROM client_secrets WHERE id = ?1", {column_of(id)}) == 1;
}

void SqlClients::put_registration(const ClientId& id, const crypto::Digest& token_hash) {
  transaction_.run(
      "INSERT INTO client_registrations (client, token_hash) VALUES (?1, ?2) "
      "ON CONFLICT (client) DO UPDATE SET token_hash = excluded.token_hash",
      {column_of(id), column_of(token_hash)});
}

void SqlClients::bound_registration(const ClientId& id) {
  transaction_.send("UPDATE client_registrations SET is_bounded = 1 WHERE client = ?1", {column_of(id)});
}

std::optional<RegistrationRecord> SqlClients::find_registration(const ClientId& id) {
  return transaction_.first(
      "SELECT token_hash, is_bounded FROM client_registrations WHERE client = ?1", {column_of(id)},
      [](const store::Row& row) { return RegistrationRecord{hash_in(row, 0), row.integer(1) != 0}; });
}

std::int64_t SqlClients::count_registrations() {
  return transaction_
      .first("SELECT count(*) FROM client_registrations", {}, [](const store::Row& row) { return row.integer(0); })
      .value();
}

bool SqlClients::use_assertion(const crypto::Digest& hash, base::UnixTime expires_at) {
  return transaction_.run(
             "INSERT INTO client_assertions (hash, expires_at) VALUES (?1, ?2) ON CONFLICT (hash) DO NOTHING",
             {column_of(hash), column_of(expires_at)}) == 1;
}

int SqlClients::remove_assertions_expired(base::UnixTime end, int count) {
  return static_cast<int>(transaction_.run(
      "DELETE FROM client_assertions WHERE hash IN (SELECT hash FROM client_assertions WHERE expires_at <= ?1 "
      "ORDER BY expires_at LIMIT ?2)",
      {column_of(end), count}));
}

std::int64_t SqlClients::generation() { return generation_of(transaction_, "clients"); }

}  // namespace troupe::oauth
