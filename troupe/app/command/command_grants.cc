// `troupe session`, `troupe grant` and `troupe token`: what people have opened and allowed, and what is taken back of
// it. A running server hears of it within a second, and closes what was opened with it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "troupe/app/command/admin_work.h"
#include "troupe/oauth/actor/browser_session.h"
#include "troupe/oauth/actor/live_tokens.h"
#include "troupe/oauth/actor/liveness.h"
#include "troupe/oauth/actor/user_endings.h"
#include "troupe/oauth/admin/documents.h"

namespace troupe::app {
namespace {

using oauth::Tables;

struct GrantsCommand {
  std::string id;
  std::string use = "access";
  std::optional<std::string> user, client, grant;
  bool json = false;
  Run run = Run::in_earnest;
};

oauth::GrantFilter filter_of(Tables& tables, const GrantsCommand& command) {
  oauth::GrantFilter filter;
  if (command.user) filter.user = user_named(tables, *command.user).user.id;
  if (command.client) filter.client = client_named(tables, *command.client).id;
  if (command.grant) filter.family = oauth::FamilyId{*command.grant};
  return filter;
}

/// Prints rows as JSON by `write`, or a line each by `line`.
template <class Rows, class Write, class Line>
void print(Invocation& invocation, bool as_json, const Rows& rows, Write write, Line line) {
  if (!as_json) {
    for (const auto& row : rows) invocation.say(line(row));
    return;
  }
  invocation.say(json_list(rows, write));
}

void list_sessions(Invocation& invocation, const GrantsCommand& command, AdminWork& admin) {
  const auto sessions = admin.look([&](Tables& tables) {
    const auto owner = user_named(tables, command.id);
    std::vector<oauth::Session> alive;
    for (const auto& record : tables.users.open_sessions_of(owner.user.id)) {
      if (oauth::is_alive(record, owner, admin.now(), admin.config().oauth)) alive.push_back(record.session);
    }
    return alive;
  });
  print(invocation, command.json, sessions, oauth::admin::write_session, [](const oauth::Session& session) {
    return fmt::format("{}  since {} UTC, seen {} UTC  {}  {}", session.id.value(), moment_text(session.created_at),
                       moment_text(session.seen_at), session.place.address,
                       oauth::browser_name(session.place.user_agent));
  });
}

void end_session(Invocation& invocation, const GrantsCommand& command, AdminWork& admin) {
  const auto ended = admin.transact(command.run, [&](Tables& tables) {
    const bool can_be = crypto::TokenId::parse(command.id).has_value();
    const auto record = can_be ? tables.users.find_session(oauth::SessionId{command.id}) : std::nullopt;
    if (!record || record->ended_at) throw CommandFailed{fmt::format("there is no open session \"{}\"", command.id)};
    tables.audit.append(oauth::about(admin.event("session_ended"), record->session.authentication.user));
    return oauth::end_session(tables, *record, admin.now(), "session_ended");
  });
  tell(invocation, command.run, fmt::format("{} is over, and {} grants with it.", command.id, ended.size()), ended);
}

void list_grants(Invocation& invocation, const GrantsCommand& command, AdminWork& admin) {
  const auto grants = admin.look([&](Tables& tables) {
    return all_pages<oauth::LiveGrant>(
        oauth::ListGrants{.filter = filter_of(tables, command)},
        [&](const auto& wanted) { return oauth::live_grants(tables, wanted, admin.now()); });
  });
  print(invocation, command.json, grants, oauth::admin::write_grant, [](const oauth::LiveGrant& row) {
    return fmt::format("{}  {}  {}  until {} UTC  {}", row.grant.family.value(), row.grant.client.value(),
                       row.grant.subject(), moment_text(row.expires_at), row.grant.scope.text());
  });
}

void revoke_grant(Invocation& invocation, const GrantsCommand& command, AdminWork& admin) {
  const auto ended = admin.transact(command.run, [&](Tables& tables) {
    const oauth::FamilyId family{command.id};
    const bool can_be = crypto::TokenId::parse(command.id).has_value();
    if (!can_be || !oauth::end_grant(tables, family, admin.now(), "administration")) {
      throw CommandFailed{fmt::format("there is no live grant \"{}\"; `troupe grant list` shows all", command.id)};
    }
    oauth::AuditEvent event = admin.event("family_revoked");
    event.family = family;
    tables.audit.append(event);
    return std::vector{family};
  });
  tell(invocation, command.run, fmt::format("{} is taken back, with all of its tokens.", command.id), ended);
}

void forget_grants(Invocation& invocation, const GrantsCommand& command, AdminWork& admin) {
  const auto ended = admin.transact(command.run, [&](Tables& tables) {
    const auto user = user_named(tables, *command.user).user.id;
    const oauth::ClientId client{*command.client};
    const base::UnixTime codes_since = admin.now() - admin.config().oauth.code_ttl;
    auto families = oauth::revoke_consent(tables, user, client, admin.now(), codes_since);
    if (!families) throw CommandFailed{fmt::format("{} has allowed {} nothing", *command.user, *command.client)};
    tables.audit.append(oauth::about(oauth::about(admin.event("consent_revoked"), client), user));
    return *std::move(families);
  });
  tell(invocation, command.run,
       fmt::format("{} has to ask {} again; {} grants have ended.", *command.client, *command.user, ended.size()),
       ended);
}

void list_tokens(Invocation& invocation, const GrantsCommand& command, AdminWork& admin) {
  if (command.use != "access" && command.use != "refresh") {
    throw WrongUsage{fmt::format("--use \"{}\": wants access or refresh", command.use)};
  }
  const auto use = command.use == "access" ? oauth::TokenUse::access : oauth::TokenUse::refresh;
  const auto tokens = admin.look([&](Tables& tables) {
    return all_pages<oauth::TokenClaims>(
        oauth::ListTokens{.use = use, .filter = filter_of(tables, command)},
        [&](const auto& wanted) { return oauth::live_tokens(tables, wanted, admin.now()); });
  });
  print(invocation, command.json, tokens, oauth::admin::write_token, [](const oauth::TokenClaims& token) {
    return fmt::format("{}  {}  {}  until {} UTC  {}", token.id.text(), token.client.value(), token.subject,
                       moment_text(token.expires_at), token.scope.text());
  });
}

void revoke_token(Invocation& invocation, const GrantsCommand& command, AdminWork& admin) {
  const auto ended = admin.transact(command.run, [&](Tables& tables) {
    const auto id = crypto::TokenId::parse(command.id);
    std::optional<oauth::TakenBack> taken;
    if (id) taken = oauth::take_back(tables, *id, admin.now(), admin.event("token_revoked"));
    if (!taken) throw CommandFailed{fmt::format("there is no token \"{}\"; `troupe token list` shows all", command.id)};
    const bool is_alone = taken->use == oauth::TokenUse::access;
    return is_alone ? std::vector<oauth::FamilyId>{} : std::vector{taken->family};
  });
  tell(invocation, command.run, fmt::format("{} is taken back.", command.id), ended);
}

void add_session_commands(CLI::App& root, Invocation& invocation) {
  auto* session = root.add_subcommand("session", "Browsers in which people are signed in");
  session->require_subcommand(1);
  auto [list_app, listing] =
      add_admin_command<GrantsCommand>(*session, invocation, "list", "List the sessions of a user", list_sessions);
  list_app->add_option("NAME", listing->id, "The user's name")->required();
  list_app->add_flag("--json", listing->json, "Print JSON");
  auto [end_app, ending] =
      add_admin_command<GrantsCommand>(*session, invocation, "end", "End a session with its tokens", end_session);
  end_app->add_option("ID", ending->id, "The session's id")->required();
  add_dry_run_flag(*end_app, ending->run);
}

void add_grant_commands(CLI::App& root, Invocation& invocation) {
  auto* grant = root.add_subcommand("grant", "What people have allowed applications");
  grant->require_subcommand(1);
  auto [list_app, listing] =
      add_admin_command<GrantsCommand>(*grant, invocation, "list", "List the live grants, oldest first", list_grants);
  list_app->add_option("--user", listing->user, "Those of the user of this name");
  list_app->add_option("--client", listing->client, "Those of the client of this id");
  list_app->add_flag("--json", listing->json, "Print JSON");
  auto [revoke_app, revoking] = add_admin_command<GrantsCommand>(
      *grant, invocation, "revoke", "Take a grant back with all of its tokens", revoke_grant);
  revoke_app->add_option("ID", revoking->id, "The grant's id")->required();
  add_dry_run_flag(*revoke_app, revoking->run);
  auto [forget_app, forgetting] = add_admin_command<GrantsCommand>(
      *grant, invocation, "forget", "Take back all that a user has allowed a client, which has to ask again",
      forget_grants);
  forget_app->add_option("--user", forgetting->user, "The user's name")->required();
  forget_app->add_option("--client", forgetting->client, "The client's id")->required();
  add_dry_run_flag(*forget_app, forgetting->run);
}

void add_token_commands(CLI::App& root, Invocation& invocation) {
  auto* token = root.add_subcommand("token", "Tokens that are live, by their ids");
  token->require_subcommand(1);
  auto [list_app, listing] =
      add_admin_command<GrantsCommand>(*token, invocation, "list", "List the live tokens, oldest first", list_tokens);
  list_app->add_option("--use", listing->use, "access (usual) or refresh");
  list_app->add_option("--user", listing->user, "Those of the user of this name");
  list_app->add_option("--client", listing->client, "Those of the client of this id");
  list_app->add_option("--grant", listing->grant, "Those of the grant of this id");
  list_app->add_flag("--json", listing->json, "Print JSON");
  auto [revoke_app, revoking] = add_admin_command<GrantsCommand>(
      *token, invocation, "revoke", "Take back an access token, or a refresh token with its whole grant", revoke_token);
  revoke_app->add_option("ID", revoking->id, "The token's id, its `jti`")->required();
  add_dry_run_flag(*revoke_app, revoking->run);
}

}  // namespace

void add_grants_commands(CLI::App& root, Invocation& invocation) {
  add_session_commands(root, invocation);
  add_grant_commands(root, invocation);
  add_token_commands(root, invocation);
}

}  // namespace troupe::app
