// See sqlite_backup.h. The copy has another name until it is whole, so that nobody takes a half for one.
#include "troupe/store/sqlite_backup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "troupe/base/handle.h"
#include "troupe/store/transaction.h"

namespace troupe::store {
namespace {

using SqliteHandle = base::Handle<sqlite3, sqlite3_close_v2>;
using StatementHandle = base::Handle<sqlite3_stmt, sqlite3_finalize>;

[[noreturn]] void fail(int code, const std::string& what) {
  throw Error{Failure::unavailable, code, fmt::format("backup: {}", what)};
}

[[noreturn]] void fail_by_errno(const std::string& what) {
  const int code = errno;
  fail(code, fmt::format("{}: {}", what, std::error_code{code, std::generic_category()}.message()));
}

SqliteHandle opened(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  SqliteHandle handle{raw};  // there may be one that is to be closed, even where it could not be opened
  if (code != SQLITE_OK) fail(code, fmt::format("{} cannot be opened: {}", path, sqlite3_errstr(code)));
  sqlite3_busy_timeout(raw, 5000);
  return handle;
}

/// A file that goes away with this, unless it was kept.
class Unfinished {
 public:
  explicit Unfinished(std::string path) : path_(std::move(path)) {
    const int file = ::open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST) {
      fail(EEXIST,
           fmt::format("{} is there already: of a backup that is under way, or of one that was cut off; remove it "
                       "then",
                       path_));
    }
    if (file < 0) fail_by_errno(fmt::format("{} cannot be made", path_));
    ::close(file);
  }
  ~Unfinished() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  /// Gives it its name, which nothing else must have, durably.
  void keep_as(const std::string& name) {
    sync(path_, O_RDONLY);
    if (::link(path_.c_str(), name.c_str()) != 0) fail_by_errno(fmt::format("{} cannot be made", name));
    const std::filesystem::path folder = std::filesystem::absolute(name).parent_path();
    ::unlink(path_.c_str());
    path_ = name;  // which goes away, too, unless it is there for good
    sync(folder.string(), O_RDONLY | O_DIRECTORY);
    path_.clear();
  }

 private:
  static void sync(const std::string& path, int flags) {
    const int file = ::open(path.c_str(), flags | O_CLOEXEC);
    if (file < 0) fail_by_errno(fmt::format("{} cannot be synced", path));
    const int error = ::fsync(file) == 0 ? 0 : errno;
    ::close(file);
    errno = error;
    if (error != 0) fail_by_errno(fmt::format("{} cannot be synced", path));
  }

  std::string path_;
};

void copy(sqlite3* from, sqlite3* to, const std::string& file) {
  sqlite3_backup* backup = sqlite3_backup_init(to, "main", from, "main");
  if (backup == nullptr) fail(sqlite3_errcode(to), sqlite3_errmsg(to));
  // All pages in one step are one view of the database, which goes on beside it. In smaller ones each write of another
  // process would begin it anew.
  sqlite3_backup_step(backup, -1);
  const int code = sqlite3_backup_finish(backup);
  if (code != SQLITE_OK) fail(code, fmt::format("the copy to {} failed: {}", file, sqlite3_errstr(code)));
}

void check(sqlite3* database) {
  sqlite3_stmt* raw = nullptr;
  // A copy has no writers beside it; a journal of its own would be a second file.
  sqlite3_exec(database, "PRAGMA journal_mode = DELETE", nullptr, nullptr, nullptr);
  const int code = sqlite3_prepare_v2(database, "PRAGMA integrity_check(1)", -1, &raw, nullptr);
  const StatementHandle statement{raw};
  if (code != SQLITE_OK || sqlite3_step(raw) != SQLITE_ROW) fail(code, "the copy cannot be checked");
  const std::string said = reinterpret_cast<const char*>(sqlite3_column_text(raw, 0));
  if (said != "ok") fail(SQLITE_CORRUPT, fmt::format("the database is damaged: {}", said));
}

}  // namespace

BackupReport back_up_sqlite(const std::string& from, const std::string& to) {
  const SqliteHandle source = opened(from, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX);
  if (std::filesystem::exists(to)) fail(SQLITE_CANTOPEN, fmt::format("{} exists already", to));
  Unfinished unfinished{to + ".part"};
  {
    const SqliteHandle target = opened(to + ".part", SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX);
    copy(source.get(), target.get(), to + ".part");
    check(target.get());
  }
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(to + ".part"));
  unfinished.keep_as(to);
  return {bytes};
}

}  // namespace troupe::store
