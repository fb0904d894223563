// `troupe backup FILE`: a copy of the authorization server's database, while the server runs.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "troupe/app/command/command.h"
#include "troupe/app/command/open_store.h"
#include "troupe/store/sqlite_backup.h"
#include "troupe/store/transaction.h"

namespace troupe::app {
namespace {

void back_up(Invocation& invocation, const Config& config, const std::string& file) {
  if (!config.store.url.expose().empty())
    throw CommandFailed{"the database is on PostgreSQL, which makes its own backups: see pg_dump and pg_basebackup"};
  refuse_missing_file(config);
  const auto database = std::filesystem::path{config.server.data_dir} / "troupe.db";
  try {
    const auto report = store::back_up_sqlite(database.string(), file);
    invocation.say(fmt::format("{}: {:.1f} MiB, checked", file, static_cast<double>(report.bytes) / (1024 * 1024)));
  } catch (const store::Error& error) {
    throw CommandFailed{error.what()};
  }
}

}  // namespace

void add_backup_command(CLI::App& root, Invocation& invocation) {
  auto* command = root.add_subcommand("backup",
                                      "Copy the database (clients, people, tokens, keys) to a new file, also while the "
                                      "server runs; docs/OPERATING.md says how to restore one");
  add_config_flags(*command, invocation);
  const auto file = std::make_shared<std::string>();
  command->add_option("file", *file, "The copy; it must not exist")->required()->type_name("FILE");
  command->callback([&invocation, file] {
    invocation.chosen = [&invocation, file] {
      const auto config = load_config(invocation);
      if (!config) return Exit::usage;
      back_up(invocation, *config, *file);
      return Exit::success;
    };
  });
}

}  // namespace troupe::app
