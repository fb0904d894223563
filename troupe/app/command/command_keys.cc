// `troupe keys list | rotate`: the keys that sign tokens.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "troupe/app/command/admin_work.h"
#include "troupe/oauth/actor/key_schedule.h"

namespace troupe::app {
namespace {

void list(Invocation& invocation, AdminWork& admin) {
  const auto keys = admin.transact([](oauth::Tables& tables) { return tables.keys.signing(); });
  for (const auto& key : keys) {
    invocation.say(fmt::format("{}  {:5}  {:9}  signs {} to {} UTC, shown until {} UTC", key.id,
                               crypto::name_of(key.algorithm), oauth::state_of(key, admin.now()),
                               moment_text(key.signs_from), moment_text(key.signs_until), moment_text(key.retired_at)));
  }
}

void rotate(Invocation& invocation, AdminWork& admin) {
  const oauth::KeyOptions& options = admin.config().keys;
  std::vector<oauth::SigningKeyRecord> fresh;
  for (const auto algorithm : options.algorithms) {
    fresh.push_back(oauth::make_key({algorithm, admin.now()}, admin.now(), options));
  }
  admin.transact([&](oauth::Tables& tables) {
    oauth::replace_keys(tables, fresh, admin.now(), options);
    tables.audit.append(admin.event("keys_rotated"));
  });
  for (const auto& key : fresh)
    invocation.say(fmt::format("{}  {}  signs from now on", key.id, crypto::name_of(key.algorithm)));
}

void add_command(CLI::App& parent, Invocation& invocation, const char* name, const char* help,
                 void (*work)(Invocation&, AdminWork&)) {
  auto* sub = parent.add_subcommand(name, help);
  add_config_flags(*sub, invocation);
  sub->callback(
      [&invocation, work] { choose(invocation, [&invocation, work](AdminWork& admin) { work(invocation, admin); }); });
}

}  // namespace

void add_keys_commands(CLI::App& root, Invocation& invocation) {
  auto* keys = root.add_subcommand("keys", "Keys that sign tokens");
  keys->require_subcommand(1);
  add_command(*keys, invocation, "list", "List the keys, oldest first", list);
  add_command(*keys, invocation, "rotate", "Sign with new keys from now on; tokens of the old ones stay good", rotate);
}

}  // namespace troupe::app
