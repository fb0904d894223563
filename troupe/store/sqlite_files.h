// SqliteFiles: which files the connections of this process work on, and whether they are still where they were found.
//
// A file that is removed or replaced stays with who has it open: all would go on as before, and what is written then
// would be gone with the process. So who writes looks before each commit. A value that does not change; any thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace troupe::store {

class SqliteFiles {
 public:
  /// What stands at these paths now, while a connection has them open. Throws store::Error where there is no database.
  SqliteFiles(std::string database, std::string log);

  /// Throws store::Error, unavailable, where the database or its log is no longer there: two calls of stat(2). Once
  /// both are back, all goes on.
  void require_in_place() const;

  /// The same of the database alone: SQLite removes the log behind the last connection.
  void require_database_in_place() const;

 private:
  /// Which file it is, whatever its name.
  struct Id {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const Id&) const = default;
  };

  static std::optional<Id> at(const std::string& path) noexcept;

  std::string database_path_;
  std::string log_path_;
  Id database_;
  std::optional<Id> log_;  // none where the file system has no shared memory: SQLite keeps no log there
};

}  // namespace troupe::store
