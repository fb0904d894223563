// See sqlite_files.h.
#include "troupe/store/sqlite_files.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "troupe/store/transaction.h"

namespace troupe::store {
namespace {

/// `unseen` is why nothing can be seen at the path; 0: there is another file.
[[noreturn]] void throw_displaced(const std::string& path, int unseen, std::string_view what_to_do) {
  const std::string why =
      unseen == 0 ? "another file is in its place" : std::error_code{unseen, std::generic_category()}.message();
  throw Error{
      Failure::unavailable, SQLITE_READONLY_DBMOVED,
      fmt::format("sqlite: {} is not the file any more that the server has open ({}): {}", path, why, what_to_do)};
}

}  // namespace

std::optional<SqliteFiles::Id> SqliteFiles::at(const std::string& path) noexcept {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Id{status.st_dev, status.st_ino};
}

SqliteFiles::SqliteFiles(std::string database, std::string log)
    : database_path_(std::move(database)), log_path_(std::move(log)) {
  const auto found = at(database_path_);
  if (!found) throw_displaced(database_path_, errno, "it went away while it was opened");
  database_ = *found;
  log_ = at(log_path_);
}

void SqliteFiles::require_database_in_place() const {
  const auto found = at(database_path_);
  if (found == database_) return;
  throw_displaced(database_path_, found ? 0 : errno,
                  "nothing is written until it is back; to go on with another one, stop the server, remove -wal and "
                  "-shm, and start it");
}

void SqliteFiles::require_in_place() const {
  require_database_in_place();
  if (!log_) return;
  const auto found = at(log_path_);
  if (found == log_) return;
  throw_displaced(log_path_, found ? 0 : errno,
                  "nothing is written until it is back; or stop the server by SIGTERM, which brings what it holds into "
                  "the database, and start it");
}

}  // namespace troupe::store
