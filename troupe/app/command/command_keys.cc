// `troupe keys list | rotate | new-encryption-key`: the keys that sign tokens, and what seals them on the disk.
#include <fmt/format.h>

#include <algorithm>
#include <CLI/CLI.hpp>
#include <iterator>
#include <map>

#include "troupe/app/command/admin_work.h"
#include "troupe/crypto/seal.h"
#include "troupe/oauth/actor/key_schedule.h"

namespace troupe::app {
namespace {

struct KeysCommand {
  std::vector<std::string> revoked;
  Run run = Run::in_earnest;
};

[[noreturn]] void throw_unknown(const std::string& id) {
  throw CommandFailed{fmt::format("there is no key {}: `troupe keys list` shows those that there are", id)};
}

/// A server that runs with other seals could not read what is inserted here, so nothing would have come of it there.
void refuse_unless_sealed_as_configured(oauth::Tables& tables) {
  oauth::refuse_other_seals(tables.keys.readable_signing());  // says which encryption key is missing
  if (tables.keys.is_sealed_as_configured()) return;
  throw CommandFailed{
      "the keys in the database are not sealed as oauth.encryption_key says, so a server that runs could not read new "
      "ones: start the server with this encryption key first, which seals all keys by it. Nothing has changed"};
}

void list(Invocation& invocation, const KeysCommand&, AdminWork& admin) {
  auto [keys, others] = admin.look([](oauth::Tables& tables) {
    auto readable = tables.keys.readable_signing();
    oauth::refuse_other_seals(readable);
    return readable;
  });
  std::map<std::string, crypto::PrivateKey> parsed;
  std::ranges::move(oauth::take_out_damaged(keys, admin.now(), parsed), std::back_inserter(others));
  for (const auto& each : others) invocation.console.err(each.why + "\n");
  for (const auto& key : keys) {
    invocation.say(fmt::format("{}  {:5}  {:9}  signs {} to {} UTC, shown until {} UTC", key.id,
                               crypto::name_of(key.algorithm), oauth::state_of(key, admin.now()),
                               moment_text(key.signs_from), moment_text(key.signs_until), moment_text(key.retired_at)));
  }
}

/// What a rotation would end: the keys that sign, and those that are revoked.
void rehearse(Invocation& invocation, const KeysCommand& command, AdminWork& admin) {
  const auto keys = admin.look([](oauth::Tables& tables) {
    refuse_unless_sealed_as_configured(tables);
    return tables.keys.signing_times();
  });
  for (const std::string& id : command.revoked)
    if (std::ranges::find(keys, id, &oauth::SigningKeyRecord::id) == keys.end()) throw_unknown(id);
  for (const auto& key : keys) {
    if (std::ranges::find(command.revoked, key.id) != command.revoked.end()) {
      invocation.say(fmt::format("{}  would be revoked", key.id));
    } else if (oauth::state_of(key, admin.now()) == "signing") {
      invocation.say(fmt::format("{}  would sign no longer", key.id));
    }
  }
  invocation.say("This was a dry run: nothing has changed.");
}

void rotate(Invocation& invocation, const KeysCommand& command, AdminWork& admin) {
  if (command.run == Run::dry) return rehearse(invocation, command, admin);
  const oauth::KeyOptions& options = admin.config().keys;
  std::vector<oauth::SigningKeyRecord> fresh;
  for (const auto algorithm : options.algorithms) {
    fresh.push_back(oauth::make_key({algorithm, admin.now()}, admin.now(), options));
  }
  admin.transact([&](oauth::Tables& tables) {
    refuse_unless_sealed_as_configured(tables);
    oauth::replace_keys(tables, fresh, admin.now(), options);
    tables.audit.append(admin.event("keys_rotated"));
    for (const std::string& id : command.revoked) {
      if (!oauth::revoke_key(tables, id, admin.now())) throw_unknown(id);
      oauth::AuditEvent event = admin.event("key_revoked");
      event.reason = id;
      tables.audit.append(event);
    }
  });
  for (const auto& key : fresh)
    invocation.say(fmt::format("{}  {}  signs from now on", key.id, crypto::name_of(key.algorithm)));
  for (const std::string& id : command.revoked)
    invocation.say(fmt::format("{}  is revoked: what it has signed is accepted here no longer", id));
}

void add_new_encryption_key(CLI::App& parent, Invocation& invocation) {
  auto* sub = parent.add_subcommand("new-encryption-key", "Print a fresh key for oauth.encryption_key; keeps nothing");
  sub->callback([&invocation] {
    invocation.chosen = [&invocation] {
      invocation.say(crypto::SealKey::generate().expose());
      return Exit::success;
    };
  });
}

}  // namespace

void add_keys_commands(CLI::App& root, Invocation& invocation) {
  auto* keys = root.add_subcommand("keys", "Keys that sign tokens");
  keys->require_subcommand(1);
  add_admin_command<KeysCommand>(*keys, invocation, "list", "List the keys, oldest first", list);
  auto [rotate_app, rotating] = add_admin_command<KeysCommand>(
      *keys, invocation, "rotate", "Sign with new keys from now on; tokens of the old ones stay good", rotate);
  rotate_app
      ->add_option("--revoke", rotating->revoked,
                   "A key that somebody else may have: its tokens are accepted no longer, their connections are closed")
      ->type_name("KEY");
  add_dry_run_flag(*rotate_app, rotating->run);
  add_new_encryption_key(*keys, invocation);
}

}  // namespace troupe::app
