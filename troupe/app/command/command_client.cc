// `troupe client add | list | show | update | secret | remove`: the applications that may ask for tokens.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "troupe/app/command/admin_work.h"
#include "troupe/app/command/client_flags.h"
#include "troupe/app/config/value.h"
#include "troupe/base/topic_name.h"
#include "troupe/oauth/actor/client_actor.h"
#include "troupe/oauth/actor/client_endings.h"
#include "troupe/oauth/actor/live_tokens.h"
#include "troupe/oauth/actor/readable_client.h"
#include "troupe/oauth/model/client_changes.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/registration.h"
#include "troupe/wire/json.h"

namespace troupe::app {
namespace {

using oauth::Client;

constexpr auto overlap_max = std::chrono::days{30};

struct ClientCommand {
  ClientFlags flags;
  std::string id;
  bool json = false;
  bool enable = false, disable = false;
  std::string overlap = "1d";
  Run run = Run::in_earnest;
};

std::vector<std::string_view> names_of(const std::vector<oauth::GrantType>& grants) {
  std::vector<std::string_view> names;
  for (const auto grant : grants) names.push_back(oauth::text(grant));
  return names;
}

/// The members that RFC 7591 names, and a few of our own.
void write_client(wire::JsonWriter& writer, const Client& client, const oauth::ClientSecret* secret) {
  writer.begin_object().member("client_id", client.id.value());
  if (secret != nullptr) writer.member("client_secret", secret->expose());
  oauth::write_metadata(writer, client.metadata);
  writer.member("enabled", client.state == oauth::ClientState::enabled);
  writer.member("client_id_issued_at", client.created_at.seconds()).end_object();
}

std::string json_of(const Client& client, const oauth::ClientSecret* secret = nullptr) {
  std::string out;
  wire::JsonWriter writer{out};
  write_client(writer, client, secret);
  return out;
}

std::string text_of(const Client& client) {
  const auto& about = client.metadata;
  std::string out = fmt::format("client id      {}\nname           {}\n", client.id.value(), about.name);
  out += fmt::format("authentication {}\ngrants         {}\n", oauth::text(about.auth_method),
                     fmt::join(names_of(about.grant_types), " "));
  if (!about.redirect_uris.empty()) out += fmt::format("redirect URIs  {}\n", fmt::join(about.redirect_uris, " "));
  if (!about.jwks_uri.empty()) out += fmt::format("keys           {}\n", about.jwks_uri);
  if (!about.backchannel_logout_uri.empty()) out += fmt::format("logout told to {}\n", about.backchannel_logout_uri);
  if (!about.resources.empty()) out += fmt::format("serves         {}\n", fmt::join(about.resources, " "));
  if (!about.scope.empty()) out += fmt::format("scope          {}\n", about.scope.text());
  out += fmt::format("PKCE           {}\n", about.pkce == oauth::PkcePolicy::required ? "required" : "optional");
  out += fmt::format("state          {}\n", client.state == oauth::ClientState::enabled ? "enabled" : "disabled");
  return out + fmt::format("created        {} UTC\n", moment_text(client.created_at));
}

void refuse(const std::optional<oauth::OauthError>& fault) {
  if (fault) throw CommandFailed{fmt::format("{} ({})", fault->description, fault->code)};
}

void refuse_slips(const oauth::ScopeSet& scope, const oauth::ScopeSet& known = {}) {
  const auto slip = oauth::slip_in(scope, known);
  if (!slip) return;
  throw CommandFailed{
      fmt::format("--scope holds \"{}\", which is none such as \"topic:news.*:subscribe\", with at most {} *", *slip,
                  base::topic_wildcards_max)};
}

void add(Invocation& invocation, const ClientCommand& command, AdminWork& admin) {
  oauth::ClientMetadata metadata;
  apply(command.flags, metadata);
  refuse(oauth::fault_in(metadata));
  refuse(oauth::fault_in_uris(metadata.redirect_uris));
  refuse_slips(metadata.scope);
  const oauth::NewClient made = oauth::make_client(std::move(metadata), admin.now(), admin.ids(), admin.random());
  oauth::AuditEvent event = admin.event("client_registered");
  event.client = made.client.id;
  event.reason = oauth::gravity_of(made.client.metadata);
  admin.transact(Missing::make, [&](oauth::Tables& tables) {
    tables.clients.insert(made.client);
    if (made.secret_record) tables.clients.insert_secret(*made.secret_record);
    tables.audit.append(event);
  });
  const oauth::ClientSecret* secret = made.secret ? &*made.secret : nullptr;
  if (command.json) return invocation.say(json_of(made.client, secret));
  invocation.console.out(text_of(made.client));
  if (secret != nullptr) {
    invocation.say(
        fmt::format("client secret  {}\n\nThe secret is shown this once; only its hash is kept.", secret->expose()));
  }
}

struct AllClients {
  std::vector<Client> readable;
  std::vector<oauth::DamagedClient> damaged;
};

AllClients all_clients(oauth::Tables& tables) {
  AllClients all;
  all.damaged = oauth::each_client(tables, [&](Client&& client) { all.readable.push_back(std::move(client)); });
  return all;
}

void list(Invocation& invocation, const ClientCommand& command, AdminWork& admin) {
  const auto [clients, damaged] = admin.look([](oauth::Tables& tables) { return all_clients(tables); });
  for (const oauth::DamagedClient& each : damaged) {
    invocation.console.err(
        fmt::format("{} cannot be read and is left out: {}. Restore its row from a backup, or remove it by "
                    "`troupe client remove`\n",
                    each.id.value(), each.why));
  }
  if (command.json) {
    std::string out;
    wire::JsonWriter writer{out};
    writer.begin_array();
    for (const Client& client : clients) write_client(writer, client, nullptr);
    writer.end_array();
    return invocation.say(out);
  }
  for (const Client& client : clients) {
    invocation.say(fmt::format("{}  {}  {}{}", client.id.value(), client.metadata.name,
                               fmt::join(names_of(client.metadata.grant_types), " "),
                               client.state == oauth::ClientState::enabled ? "" : "  (disabled)"));
  }
}

void show(Invocation& invocation, const ClientCommand& command, AdminWork& admin) {
  const Client client = admin.look([&](oauth::Tables& tables) { return client_named(tables, command.id); });
  command.json ? invocation.say(json_of(client)) : invocation.console.out(text_of(client));
}

void update(Invocation& invocation, const ClientCommand& command, AdminWork& admin) {
  oauth::AuditEvent event = admin.event("client_updated");
  event.client = oauth::ClientId{command.id};
  const Client updated = admin.transact([&](oauth::Tables& tables) {
    Client client = client_named(tables, command.id);
    const Client before = client;
    apply(command.flags, client.metadata);
    refuse(oauth::fault_in_change(before.metadata, client.metadata));
    if (!oauth::is_same(before.metadata, client.metadata)) refuse(oauth::fault_in(client.metadata));
    refuse_slips(client.metadata.scope, before.metadata.scope);
    if (command.enable) oauth::set_state(tables, client, oauth::ClientState::enabled, admin.now());
    if (command.disable) oauth::set_state(tables, client, oauth::ClientState::disabled, admin.now());
    event.reason = oauth::write_change(tables, before, client);
    tables.clients.bound_registration(client.id);
    tables.audit.append(event);
    return client;
  });
  command.json ? invocation.say(json_of(updated)) : invocation.console.out(text_of(updated));
}

void renew_secret(Invocation& invocation, const ClientCommand& command, AdminWork& admin) {
  const auto overlap = parse_duration(command.overlap);
  if (!overlap || *overlap > overlap_max) {
    throw WrongUsage{fmt::format("--overlap \"{}\": wants a duration of up to 30 days, such as 1d", command.overlap)};
  }
  const oauth::ClientId id{command.id};
  const oauth::NewSecret fresh = oauth::make_secret(id, admin.now(), admin.ids(), admin.random());
  oauth::AuditEvent event = admin.event("client_secret_renewed");
  event.client = id;
  admin.transact([&](oauth::Tables& tables) {
    if (!client_named(tables, command.id).metadata.has_secret()) throw CommandFailed{"this client has no secret"};
    oauth::renew_secret(tables, fresh.record, admin.now(), std::chrono::duration_cast<std::chrono::seconds>(*overlap));
    tables.audit.append(event);
  });
  if (!command.json) {
    return invocation.say(
        fmt::format("client secret  {}\n\nThe secret is shown this once; the one before is good for {}.",
                    fresh.secret.expose(), command.overlap));
  }
  std::string out;
  wire::JsonWriter{out}
      .begin_object()
      .member("client_id", command.id)
      .member("client_secret", fresh.secret.expose())
      .end_object();
  invocation.say(out);
}

std::vector<oauth::FamilyId> grants_of(oauth::Tables& tables, const oauth::ClientId& client, base::UnixTime now) {
  std::vector<oauth::FamilyId> grants;
  const auto page_of = [&](const oauth::ListGrants& wanted) { return oauth::live_grants(tables, wanted, now); };
  for (const auto& row : all_pages<oauth::LiveGrant>(oauth::ListGrants{.filter = {.client = client}}, page_of))
    grants.push_back(row.grant.family);
  return grants;
}

void remove(Invocation& invocation, const ClientCommand& command, AdminWork& admin) {
  oauth::AuditEvent event = admin.event("client_deleted");
  event.client = oauth::ClientId{command.id};
  const auto ended = admin.transact(command.run, [&](oauth::Tables& tables) {
    if (!tables.clients.find_standing(*event.client))
      throw_no_client(command.id);  // one that is damaged can be removed
    std::vector<oauth::FamilyId> grants;
    if (command.run == Run::dry) grants = grants_of(tables, *event.client, admin.now());
    oauth::remove_client(tables, *event.client, admin.now());
    tables.audit.append(event);
    return grants;
  });
  tell(invocation, command.run, fmt::format("{} is removed; its tokens are no longer active.", command.id), ended);
}

}  // namespace

void add_client_commands(CLI::App& root, Invocation& invocation) {
  auto* client = root.add_subcommand("client", "Applications that may ask for tokens");
  client->require_subcommand(1);

  auto [add_app, adding] =
      add_admin_command<ClientCommand>(*client, invocation, "add", "Register a client; shows its secret once", add);
  add_app->add_option("--name", adding->flags.name, "Shown to people on the consent page")->required();
  add_client_flags(*add_app, adding->flags);
  add_app->add_flag("--public", adding->flags.is_public, "It cannot keep a secret: an app in a browser or on a phone");
  add_app->add_flag("--json", adding->json, "Print JSON (the members of RFC 7591)");

  auto [list_app, listing] = add_admin_command<ClientCommand>(*client, invocation, "list", "List all clients", list);
  list_app->add_flag("--json", listing->json, "Print JSON");

  auto [show_app, showing] =
      add_admin_command<ClientCommand>(*client, invocation, "show", "Show one client, without secrets", show);
  show_app->add_option("ID", showing->id, "The client's id")->required();
  show_app->add_flag("--json", showing->json, "Print JSON");

  auto [update_app, updating] =
      add_admin_command<ClientCommand>(*client, invocation, "update", "Change what flags name", update);
  update_app->add_option("ID", updating->id, "The client's id")->required();
  update_app->add_option("--name", updating->flags.name, "Shown to people on the consent page");
  add_client_flags(*update_app, updating->flags);
  auto* enable = update_app->add_flag("--enable", updating->enable, "Let it in again");
  update_app->add_flag("--disable", updating->disable, "Refuse it and end its tokens, and keep what is known of it")
      ->excludes(enable);
  update_app->add_flag("--json", updating->json, "Print JSON");

  auto [secret_app, renewing] =
      add_admin_command<ClientCommand>(*client, invocation, "secret", "Give a client another secret", renew_secret);
  secret_app->add_option("ID", renewing->id, "The client's id")->required();
  secret_app->add_option("--overlap", renewing->overlap, "How long the secret before it stays good; 0s ends it now");
  secret_app->add_flag("--json", renewing->json, "Print JSON");

  auto [remove_app, removing] =
      add_admin_command<ClientCommand>(*client, invocation, "remove", "Remove a client for good", remove);
  remove_app->add_option("ID", removing->id, "The client's id")->required();
  add_dry_run_flag(*remove_app, removing->run);
}

}  // namespace troupe::app
