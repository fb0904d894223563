// See open_store.h for what is made here.
#include "troupe/app/command/open_store.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "troupe/app/command/command.h"
#include "troupe/oauth/storage/schema.h"
#include "troupe/store/migration.h"

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

}  // namespace

store::SqliteOptions prepare_store(const Config& config) {
  const std::filesystem::path folder{config.server.data_dir};
  make_folder(folder);
  store::SqliteOptions options{.path = (folder / "troupe.db").string()};
  store::SqliteConnection connection{options};
  store::migrate(connection, oauth::schema(), base::system_clock().wall());
  return options;
}

std::unique_ptr<store::SqliteConnection> open_store(const Config& config) {
  return std::make_unique<store::SqliteConnection>(prepare_store(config));
}

}  // namespace troupe::app
