// See open_store.h for what is made here.
#include "troupe/app/command/open_store.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <system_error>

#include "troupe/app/command/command.h"
#include "troupe/app/config/key_seals.h"
#include "troupe/base/log.h"
#include "troupe/oauth/storage/keys.h"
#include "troupe/oauth/storage/schema.h"
#include "troupe/store/migration.h"
#include "troupe/store/postgres/postgres.h"
#include "troupe/store/sqlite.h"

namespace troupe::app {
namespace {

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), error);
  if (!error && ::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) error = {errno, std::generic_category()};
  if (!error && !std::filesystem::is_directory(folder)) error = std::make_error_code(std::errc::not_a_directory);
  if (error)
    throw CommandFailed{fmt::format("the data folder {} cannot be used: {}", folder.string(), error.message())};
}

bool is_on_postgres(const Config& config) { return !config.store.url.expose().empty(); }

std::filesystem::path file_of(const Config& config) {
  return std::filesystem::path{config.server.data_dir} / "troupe.db";
}

std::shared_ptr<store::Engine> engine_of(const Config& config, store::PostgresClaim claim) {
  if (is_on_postgres(config)) return store::postgres_engine({.url = config.store.url, .claim = claim});
  return store::sqlite_engine({.path = file_of(config).string()});
}

std::unique_ptr<store::Session> migrated(std::unique_ptr<store::Session> session) {
  store::migrate(*session, oauth::schema(), base::system_clock().wall());
  return session;
}

[[noreturn]] void throw_missing(const Config& config) {
  const std::string where = is_on_postgres(config) ? "at store.url" : "in " + config.server.data_dir;
  throw CommandFailed{
      fmt::format("there is no database {}: say where it is by --data or --config. `troupe serve` makes one", where)};
}

/// The database of somebody who looks: opening a file would make it.
std::unique_ptr<store::Session> open_existing(const Config& config, store::Engine& engine) {
  refuse_missing_file(config);
  auto session = engine.open();
  if (!store::has_migrations(*session)) throw_missing(config);
  return session;
}

/// A server that cannot read its keys says so before it starts, and not by never becoming ready.
void check_keys(store::Session& session, const Config& config) {
  const auto seals = key_seals_of(config).value();
  session.transact([&](store::Transaction& transaction) {
    oauth::SqlKeys keys{transaction, seals.get()};
    oauth::refuse_other_seals(keys.readable_signing());
    (void)keys.token_keys();
  });
}

constexpr int tries_max = 360;  // each of which waits for five seconds by itself

/// A migration of a large database takes its time, and a server that comes meanwhile waits for its end.
void when_free(const std::function<void()>& step) {
  for (int tries = 1;; ++tries) {
    try {
      return step();
    } catch (const store::Error& error) {
      if (error.failure() != store::Failure::busy || tries == tries_max) throw;
      base::log::warning("app", "waits for the database: another process holds it, perhaps to migrate it",
                         {{"why", error.what()}});
    }
  }
}

}  // namespace

ServerStore prepare_store(const Config& config) {
  make_folder(config.server.data_dir);
  ServerStore store{.engine = engine_of(config, store::PostgresClaim::server), .session = nullptr};
  when_free([&] {
    store.session.reset();
    store.session = migrated(store.engine->open());
    check_keys(*store.session, config);
  });
  // A file is claimed by nobody, and a session that was there before its log would not know which log it has.
  if (!is_on_postgres(config)) store.session.reset();
  return store;
}

void refuse_missing_file(const Config& config) {
  std::error_code error;
  const bool has_file = is_on_postgres(config) || std::filesystem::exists(file_of(config), error) || error;
  if (!has_file) throw_missing(config);
}

std::unique_ptr<store::Session> open_store(const Config& config, Missing missing) {
  const auto engine = engine_of(config, store::PostgresClaim::none);
  if (missing == Missing::make) make_folder(config.server.data_dir);
  try {
    return migrated(missing == Missing::make ? engine->open() : open_existing(config, *engine));
  } catch (const store::Error& error) {
    if (error.failure() != store::Failure::busy) throw;
    throw CommandFailed{fmt::format(
        "the database is held by another process, perhaps by one that migrates it; try again ({})", error.what())};
  }
}

}  // namespace troupe::app
