// A copy of an SQLite database while others read and write it.
#pragma once

#include <cstdint>
#include <string>

namespace troupe::store {

struct BackupReport {
  std::int64_t bytes = 0;
};

/// Copies the database `from`, as it is at one moment, to the new file `to` (mode 0600), which is on the disk and has
/// been checked page by page when this returns. Writers are not held up. Throws store::Error, and then there is no
/// `to`; also when `to` exists already or `from` does not. Blocks: for the command line.
BackupReport back_up_sqlite(const std::string& from, const std::string& to);

}  // namespace troupe::store
