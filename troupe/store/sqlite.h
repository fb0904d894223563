// SQLite (3.40): the embedded database, used by the server and, at the same time, by the
// command line in a process of its own.
//
// Files run in write-ahead mode with synchronous=FULL: what was committed survives a power
// cut. A database in memory is the twin for tests and simulation: the same SQL, one shared
// connection, gone with its engine.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "troupe/store/session.h"

struct sqlite3;

namespace troupe::store {

struct SqliteOptions {
  std::string path;                              // a file; made with mode 0600 when it is missing
  std::chrono::milliseconds busy_timeout{5000};  // another process's transaction may take its time
};

/// One connection. One thread at a time.
class SqliteConnection {
 public:
  /// Opens the file of the options. Throws store::Error.
  explicit SqliteConnection(const SqliteOptions& options);
  /// Opens an empty database in memory.
  static std::unique_ptr<SqliteConnection> in_memory();
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  /// Runs `work` in a transaction that holds the write lock from its start; commits when it returns, undoes
  /// everything when it throws. What `work` gives comes back.
  template <class F>
  auto transact(F work) {
    using Result = decltype(work(std::declval<Transaction&>()));
    if constexpr (std::is_void_v<Result>) {
      run_in_transaction([&](Transaction& transaction) { work(transaction); });
    } else {
      std::optional<Result> result;
      run_in_transaction([&](Transaction& transaction) { result = work(transaction); });
      return std::move(*result);
    }
  }

  /// Runs several statements, separated by semicolons, without values and without rows.
  void script(const std::string& sql);

  /// See Session.
  Outcomes write(std::span<const Work> pieces);
  Outcomes read(std::span<const Work> pieces);

 private:
  struct State;
  class Statement;
  class StatementTransaction;

  SqliteConnection();
  void open(const char* path, int flags, std::chrono::milliseconds busy_timeout);
  void run_in_transaction(const Work& work);
  std::exception_ptr run_in_savepoint(const Work& work);
  void simple(const char* sql);
  void set_read_only(bool read_only);
  void roll_back() noexcept;
  bool in_transaction() const noexcept;

  std::unique_ptr<State> state_;
};

/// The engine for a file: each session is a connection of its own.
std::shared_ptr<Engine> sqlite_engine(SqliteOptions options);

/// The engine for `connection`, which all sessions share: what a test or a simulation writes outlives its actors.
std::shared_ptr<Engine> sqlite_engine(std::shared_ptr<SqliteConnection> connection);

}  // namespace troupe::store
