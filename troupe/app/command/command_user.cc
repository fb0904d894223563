// `troupe user add | list | show | update | password | disable | enable | remove`: the people who can sign in.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "troupe/app/command/admin_work.h"
#include "troupe/app/platform/options.h"
#include "troupe/crypto/password.h"
#include "troupe/oauth/actor/user_actor.h"
#include "troupe/oauth/actor/user_endings.h"
#include "troupe/oauth/admin/documents.h"
#include "troupe/wire/json.h"

namespace troupe::app {
namespace {

struct UserCommand {
  std::string name;
  std::optional<std::string> email;
  std::optional<std::string> new_name;
  bool no_email = false;
  bool password_stdin = false;
  bool json = false;
  Run run = Run::in_earnest;
};

crypto::Password read_password(Invocation& invocation, const UserCommand& command) {
  if (!command.password_stdin) {
    throw WrongUsage{"give the password on standard input, with --password-stdin; on the command line others see it"};
  }
  auto line = invocation.console.read_line();
  if (!line || line->empty()) throw CommandFailed{"there is no password on standard input"};
  return crypto::Password{*std::move(line)};
}

/// The hash of a password that may be a new one.
std::string hash_of(const crypto::Password& password, AdminWork& admin) {
  const auto& breached = admin.config().passwords.breached;
  if (breached && breached->has(password))
    throw CommandFailed{std::string{oauth::sentence(oauth::UserError::breached_password)}};
  auto hash = crypto::hash_password(password, password_options(admin.config(), nullptr).cost,
                                    crypto::fresh_salt(admin.random()));
  if (!hash) throw CommandFailed{std::string{oauth::sentence(oauth::UserError::bad_password)}};
  return *std::move(hash);
}

void add(Invocation& invocation, const UserCommand& command, AdminWork& admin) {
  const oauth::UserName name{command.name};
  const crypto::Password password = read_password(invocation, command);
  if (const auto fault = oauth::fault_in(name, command.email, password))
    throw CommandFailed{std::string{oauth::sentence(*fault)}};
  const auto record = oauth::make_user(name, command.email, hash_of(password, admin), admin.now(), admin.random());
  admin.transact(Missing::make, [&](oauth::Tables& tables) {
    if (tables.users.find_by_name(name))
      throw CommandFailed{std::string{oauth::sentence(oauth::UserError::name_taken)}};
    tables.users.insert(record);
    tables.audit.append(oauth::about(admin.event("user_added"), record.user.id));
  });
  invocation.say(fmt::format("{} can sign in now (id {}).", name.value(), record.user.id.value()));
}

std::vector<oauth::User> all_users(oauth::Tables& tables) {
  std::vector<oauth::User> all;
  for (auto page = tables.users.list({}, 500); !page.empty(); page = tables.users.list(all.back().id, 500)) {
    for (const auto& record : page) all.push_back(record.user);
  }
  return all;
}

void write_listed(wire::JsonWriter& writer, const oauth::User& user) {
  writer.begin_object().member("sub", user.id.value()).member("preferred_username", user.name.value());
  if (user.email) writer.member("email", *user.email);
  writer.member("disabled", user.state == oauth::UserState::disabled).end_object();
}

void list(Invocation& invocation, const UserCommand& command, AdminWork& admin) {
  const auto users = admin.look([](oauth::Tables& tables) { return all_users(tables); });
  if (command.json) return invocation.say(json_list(users, write_listed));
  for (const auto& user : users) {
    invocation.say(fmt::format("{}  {}  {}{}", user.id.value(), user.name.value(), user.email.value_or(""),
                               user.state == oauth::UserState::disabled ? "  (disabled)" : ""));
  }
}

void show(Invocation& invocation, const UserCommand& command, AdminWork& admin) {
  const auto user = admin.look([&](oauth::Tables& tables) { return user_named(tables, command.name).user; });
  if (command.json) {
    std::string out;
    wire::JsonWriter writer{out};
    oauth::admin::write_user(writer, user);
    return invocation.say(out);
  }
  invocation.say(fmt::format("sub      {}\nname     {}\nemail    {}\nstate    {}\ncreated  {} UTC", user.id.value(),
                             user.name.value(), user.email.value_or("none"),
                             user.state == oauth::UserState::enabled ? "enabled" : "disabled",
                             moment_text(user.created_at)));
}

void update(Invocation& invocation, const UserCommand& command, AdminWork& admin) {
  oauth::UserChange change;
  if (command.new_name) change.name = oauth::UserName{*command.new_name};
  if (command.email || command.no_email) change.email = command.email;
  if (!change.name && !change.email) throw WrongUsage{"say what is to change: --name, --email or --no-email"};
  const auto user = admin.transact([&](oauth::Tables& tables) {
    const auto before = user_named(tables, command.name);
    const auto after = oauth::change_user(tables, before, change);
    if (!after) throw CommandFailed{std::string{oauth::sentence(after.error())}};
    if (*after != before.user) tables.audit.append(oauth::about(admin.event("user_updated"), after->id));
    return *after;
  });
  invocation.say(fmt::format("{} is {} now, {}.", command.name, user.name.value(),
                             user.email ? "with the address " + *user.email : "without an address"));
}

void set_password(Invocation& invocation, const UserCommand& command, AdminWork& admin) {
  const crypto::Password password = read_password(invocation, command);
  if (!oauth::is_good_password(password))
    throw CommandFailed{std::string{oauth::sentence(oauth::UserError::bad_password)}};
  const std::string hash = hash_of(password, admin);
  const auto ended = admin.transact([&](oauth::Tables& tables) {
    const auto user = user_named(tables, command.name);
    tables.audit.append(oauth::about(admin.event("password_changed"), user.user.id));
    return oauth::change_password(tables, user, hash, admin.now());
  });
  invocation.say(
      fmt::format("{} has a new password; {} grants have ended, and all sessions.", command.name, ended.size()));
}

void disable(Invocation& invocation, const UserCommand& command, AdminWork& admin) {
  const auto ended = admin.transact(command.run, [&](oauth::Tables& tables) {
    const auto user = user_named(tables, command.name);
    if (user.user.state == oauth::UserState::disabled) return std::vector<oauth::FamilyId>{};  // twice is as once
    tables.audit.append(oauth::about(admin.event("user_disabled"), user.user.id));
    return oauth::disable_user(tables, user, admin.now());
  });
  tell(invocation, command.run,
       fmt::format("{} cannot sign in any more; {} grants have ended, and all sessions.", command.name, ended.size()),
       ended);
}

void enable(Invocation& invocation, const UserCommand& command, AdminWork& admin) {
  admin.transact([&](oauth::Tables& tables) {
    const auto user = user_named(tables, command.name);
    if (user.user.state == oauth::UserState::enabled) return;  // twice is as once, and nothing to audit
    tables.audit.append(oauth::about(admin.event("user_enabled"), user.user.id));
    oauth::enable_user(tables, user);
  });
  invocation.say(fmt::format("{} can sign in again.", command.name));
}

void remove(Invocation& invocation, const UserCommand& command, AdminWork& admin) {
  const auto ended = admin.transact(command.run, [&](oauth::Tables& tables) {
    const auto user = user_named(tables, command.name);
    tables.audit.append(oauth::about(admin.event("user_removed"), user.user.id));
    return oauth::remove_user(tables, user.user.id, admin.now()).value_or(std::vector<oauth::FamilyId>{});
  });
  tell(invocation, command.run, fmt::format("{} is removed, and {} grants with them.", command.name, ended.size()),
       ended);
}

}  // namespace

void add_user_commands(CLI::App& root, Invocation& invocation) {
  auto* user = root.add_subcommand("user", "People who can sign in");
  user->require_subcommand(1);

  auto [add_app, adding] = add_admin_command<UserCommand>(*user, invocation, "add", "Add a user", add);
  add_app->add_option("NAME", adding->name, "What the person types to sign in")->required();
  add_app->add_option("--email", adding->email, "Their address, for the scope `email`");
  add_app->add_flag("--password-stdin", adding->password_stdin, "Read the password from the first line of input");

  auto [list_app, listing] = add_admin_command<UserCommand>(*user, invocation, "list", "List all users", list);
  list_app->add_flag("--json", listing->json, "Print JSON");

  auto [show_app, showing] = add_admin_command<UserCommand>(*user, invocation, "show", "Show one user", show);
  show_app->add_option("NAME", showing->name, "The user's name")->required();
  show_app->add_flag("--json", showing->json, "Print JSON");

  auto [update_app, updating] = add_admin_command<UserCommand>(
      *user, invocation, "update", "Give a user another name or address; they stay signed in", update);
  update_app->add_option("NAME", updating->name, "The user's name so far")->required();
  update_app->add_option("--name", updating->new_name, "What the person types from now on");
  auto* address = update_app->add_option("--email", updating->email, "Their address");
  update_app->add_flag("--no-email", updating->no_email, "They have no address")->excludes(address);

  auto [password_app, changing] = add_admin_command<UserCommand>(
      *user, invocation, "password", "Give a user another password and end their sessions and tokens", set_password);
  password_app->add_option("NAME", changing->name, "The user's name")->required();
  password_app->add_flag("--password-stdin", changing->password_stdin,
                         "Read the password from the first line of input");

  auto [disable_app, disabling] = add_admin_command<UserCommand>(
      *user, invocation, "disable", "Keep a user from signing in and end their sessions and tokens", disable);
  disable_app->add_option("NAME", disabling->name, "The user's name")->required();
  add_dry_run_flag(*disable_app, disabling->run);

  auto [enable_app, enabling] =
      add_admin_command<UserCommand>(*user, invocation, "enable", "Let a user sign in again", enable);
  enable_app->add_option("NAME", enabling->name, "The user's name")->required();

  auto [remove_app, removing] =
      add_admin_command<UserCommand>(*user, invocation, "remove", "Remove a user and end their tokens", remove);
  remove_app->add_option("NAME", removing->name, "The user's name")->required();
  add_dry_run_flag(*remove_app, removing->run);
}

}  // namespace troupe::app
