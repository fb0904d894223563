// See admin_work.h for the frame.
#include "troupe/app/command/admin_work.h"

#include <fmt/chrono.h>

#include <CLI/CLI.hpp>

#include "troupe/app/config/key_seals.h"

namespace troupe::app {

// load_config() has refused a configuration that has no seals.
AdminWork::AdminWork(Config config)
    : config_(std::move(config)),
      now_(base::system_clock().wall()),
      random_(base::secure_random()),
      seals_(key_seals_of(config_).value()) {}

store::Session& AdminWork::store(Missing missing) {
  if (!store_) store_ = open_store(config_, missing);
  return *store_;
}

oauth::AuditEvent AdminWork::event(std::string_view kind) {
  return {.id = ids_.next(now_, *random_), .kind = std::string{kind}, .done_by = "command line"};
}

CLI::App* add_admin_command(CLI::App& parent, Invocation& invocation, const char* name, const char* help,
                            std::function<Exit(AdminWork&)> work) {
  auto* command = parent.add_subcommand(name, help);
  add_config_flags(*command, invocation);
  command->callback([&invocation, work = std::move(work)] {
    invocation.chosen = [&invocation, work] {
      auto config = load_config(invocation);
      if (!config) return Exit::usage;
      AdminWork admin{*std::move(config)};
      return work(admin);
    };
  });
  return command;
}

void add_dry_run_flag(CLI::App& command, Run& run) {
  command.add_flag_callback("--dry-run", [&run] { run = Run::dry; }, "Change nothing, and tell what would end");
}

void tell(Invocation& invocation, Run run, const std::string& sentence,
          const std::vector<oauth::FamilyId>& ended_grants) {
  if (run == Run::in_earnest) return invocation.say(sentence);
  for (const oauth::FamilyId& grant : ended_grants) invocation.say(grant.value());
  invocation.say(fmt::format("This was a dry run: nothing has changed. Else: {}", sentence));
}

oauth::UserRecord user_named(oauth::Tables& tables, const std::string& name) {
  auto user = tables.users.find_by_name(oauth::UserName{name});
  if (!user) throw CommandFailed{fmt::format("there is no user \"{}\"; `troupe user list` shows all", name)};
  return *std::move(user);
}

void throw_no_client(const std::string& id) {
  throw CommandFailed{fmt::format("there is no client \"{}\"; `troupe client list` shows all", id)};
}

oauth::Client client_named(oauth::Tables& tables, const std::string& id) {
  auto client = tables.clients.find(oauth::ClientId{id});
  if (!client) throw_no_client(id);
  return *std::move(client);
}

std::string moment_text(base::UnixTime time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(time.seconds())));
}

}  // namespace troupe::app
