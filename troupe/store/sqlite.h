// SQLite (3.40): the embedded database, used by the server and, at the same time, by the
// command line in a process of its own.
//
// The file and its log must stay where they are: while they are away or replaced, nothing is written (sqlite_files.h).
//
// Files run in write-ahead mode with synchronous=FULL: what was committed survives a power
// cut. A database in memory is the twin for tests and simulation: the same SQL, one shared
// connection, gone with its engine.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "troupe/store/session.h"
#include "troupe/store/sqlite_files.h"

struct sqlite3;

namespace troupe::store {

struct SqliteOptions {
  std::string path;                              // a file; made with mode 0600 when it is missing
  std::chrono::milliseconds busy_timeout{5000};  // another process's transaction may take its time
};

/// What becomes of a file that is missing.
enum class MissingFile { is_made, is_an_error };

/// One connection. One thread at a time.
class SqliteConnection final : public Session {
 public:
  /// Opens the file of the options. Throws store::Error.
  explicit SqliteConnection(const SqliteOptions& options, MissingFile missing = MissingFile::is_made);
  /// Opens an empty database in memory.
  static std::unique_ptr<SqliteConnection> in_memory();
  ~SqliteConnection() override;
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  /// Runs several statements, separated by semicolons, without values and without rows.
  void script(const std::string& sql);

  /// See Session. A transaction that writes holds the write lock from its start.
  Outcomes write(std::span<const Work> pieces) override;
  Outcomes read(std::span<const Work> pieces) override;

  /// The files that it works on. Only of one that has files.
  const SqliteFiles& files() const noexcept;

 private:
  struct State;
  class Statement;
  class StatementTransaction;

  SqliteConnection();
  void open(const char* path, int flags, std::chrono::milliseconds busy_timeout);
  bool run_as_one(std::span<const Work> pieces);
  std::exception_ptr run_in_savepoint(const Work& work);
  void run_script(const std::string& sql);
  void simple(const char* sql);
  void set_read_only(bool read_only);
  void roll_back() noexcept;
  void require_files() const;
  bool in_transaction() const noexcept;

  std::unique_ptr<State> state_;
};

/// The engine for a file: each session is a connection of its own.
std::shared_ptr<Engine> sqlite_engine(SqliteOptions options);

/// The engine for `connection`, which all sessions share: what a test or a simulation writes outlives its actors.
std::shared_ptr<Engine> sqlite_engine(std::shared_ptr<SqliteConnection> connection);

}  // namespace troupe::store
