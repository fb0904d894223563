// See sqlite.h.
#include "troupe/store/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <system_error>

#include "troupe/base/check.h"
#include "troupe/base/handle.h"
#include "troupe/base/published.h"
#include "troupe/store/piece_transaction.h"

namespace troupe::store {
namespace {

using SqliteHandle = base::Handle<sqlite3, sqlite3_close_v2>;
using StatementHandle = base::Handle<sqlite3_stmt, sqlite3_finalize>;

Failure failure_of(int code) {
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
      return Failure::conflict;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Failure::busy;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return Failure::wrong_use;
    default:
      return Failure::unavailable;
  }
}

/// SQLite's message names tables, columns and tokens of the SQL, never the values that were bound.
[[noreturn]] void throw_sqlite(sqlite3* database, std::string_view doing) {
  const int code = database != nullptr ? sqlite3_extended_errcode(database) : SQLITE_NOMEM;
  const char* reason = database != nullptr ? sqlite3_errmsg(database) : "out of memory";
  // Of what the system has refused SQLite says little: "disk I/O error", where there is no room on it.
  const int primary = code & 0xff;
  const bool is_systems = primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR;
  const int refused = database != nullptr && is_systems ? sqlite3_system_errno(database) : 0;
  const std::string why = refused != 0 ? ": " + std::error_code{refused, std::generic_category()}.message() : "";
  throw Error{failure_of(code), code, fmt::format("sqlite: {}{} ({}) in: {}", reason, why, code, doing)};
}

/// Names the file, and why the system does not let it be written where that is the reason: SQLite tries to read it
/// then, and tells the failure of that.
[[noreturn]] void throw_unopened(const std::string& path, int unmade, const Error& error) {
  const int refused = unmade == 0 && ::access(path.c_str(), W_OK) != 0 ? errno : unmade;
  const std::string why = std::error_code{refused, std::generic_category()}.message();
  throw Error{error.failure(), error.code(),
              refused != 0 ? fmt::format("sqlite: {} cannot be written: {}", path, why)
                           : fmt::format("{}, of {}", error.what(), path)};
}

}  // namespace

struct SqliteConnection::State {
  // Statements are finalized before the connection closes: members die in reverse order.
  SqliteHandle database;
  std::map<std::string, StatementHandle, std::less<>> statements;
  bool is_read_only = false;         // as the last transaction wanted it; a reader's connection stays so
  std::optional<SqliteFiles> files;  // none in memory
};

/// A prepared statement for one use: binds, steps, and leaves nothing of the values behind.
class SqliteConnection::Statement final : public Row {
 public:
  Statement(State& state, std::string_view sql) : database_(state.database.get()), sql_(sql) {
    auto known = state.statements.find(sql);
    if (known == state.statements.end())
      known = state.statements.emplace(std::string{sql}, prepare(SQLITE_PREPARE_PERSISTENT)).first;
    statement_ = known->second.get();
    if (sqlite3_stmt_busy(statement_) == 0) return;
    own_ = prepare(0);  // the same query runs inside its own loop
    statement_ = own_.get();
  }
  ~Statement() override {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(Values values) {
    if (static_cast<int>(values.size()) != sqlite3_bind_parameter_count(statement_))
      throw Error{Failure::wrong_use, SQLITE_RANGE, fmt::format("sqlite: wrong number of values for: {}", sql_)};
    int index = 0;
    for (const Value& value : values)
      if (bind_one(++index, value.content()) != SQLITE_OK) throw_sqlite(database_, sql_);
  }

  /// Whether there is a next row.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) throw_sqlite(database_, sql_);
    return code == SQLITE_ROW;
  }

  bool is_null(int column) const override { return type_of(column) == SQLITE_NULL; }
  std::int64_t integer(int column) const override {
    require(column, SQLITE_INTEGER);
    return sqlite3_column_int64(statement_, column);
  }
  std::string text(int column) const override {
    require(column, SQLITE_TEXT);
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  std::string blob(int column) const override {
    require(column, SQLITE_BLOB);
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return data == nullptr ? std::string{}
                           : std::string{data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  StatementHandle prepare(unsigned flags) const {
    sqlite3_stmt* made = nullptr;
    const char* rest = nullptr;
    const int size = static_cast<int>(sql_.size());
    if (sqlite3_prepare_v3(database_, sql_.data(), size, flags, &made, &rest) != SQLITE_OK)
      throw_sqlite(database_, sql_);
    StatementHandle statement{made};
    if (!statement || rest != sql_.data() + sql_.size())
      throw Error{Failure::wrong_use, SQLITE_MISUSE, fmt::format("sqlite: not exactly one statement: {}", sql_)};
    return statement;
  }

  int bind_one(int index, const Value::Content& content) {
    if (const auto* number = std::get_if<std::int64_t>(&content)) return sqlite3_bind_int64(statement_, index, *number);
    if (const auto* real = std::get_if<double>(&content)) return sqlite3_bind_double(statement_, index, *real);
    if (const auto* text = std::get_if<std::string_view>(&content)) {
      const char* data = text->data() != nullptr ? text->data() : "";  // a null pointer would bind NULL
      return sqlite3_bind_text64(statement_, index, data, text->size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    if (const auto* blob = std::get_if<Blob>(&content)) {
      const char* data = blob->bytes.data() != nullptr ? blob->bytes.data() : "";
      return sqlite3_bind_blob64(statement_, index, data, blob->bytes.size(), SQLITE_STATIC);
    }
    return sqlite3_bind_null(statement_, index);
  }

  int type_of(int column) const {
    INVARIANT(column >= 0 && column < sqlite3_column_count(statement_), "a query is asked for a column it has not");
    return sqlite3_column_type(statement_, column);
  }

  void require(int column, int type) const {
    if (type_of(column) == type) return;
    throw Error{Failure::wrong_use, SQLITE_MISMATCH,
                fmt::format("sqlite: column {} is of another type in: {}", column, sql_)};
  }

  sqlite3* database_;
  std::string_view sql_;
  sqlite3_stmt* statement_ = nullptr;
  StatementHandle own_;
};

/// The transaction of one piece of work.
class SqliteConnection::StatementTransaction final : public PieceTransaction {
 public:
  explicit StatementTransaction(SqliteConnection& connection) : connection_(connection), state_(*connection.state_) {}

  void script(std::string_view sql) override {
    or_fail([&] { connection_.run_script(std::string{sql}); });
  }

 private:
  std::int64_t execute(std::string_view sql, Values values, const std::function<bool(const Row&)>* step) override {
    std::optional<Statement> statement;
    or_fail([&] {
      statement.emplace(state_, sql);
      statement->bind(values);
    });
    const auto next = [&] { return statement->step(); };
    while (or_fail(next))
      if (step == nullptr || !(*step)(*statement)) break;
    return sqlite3_changes64(state_.database.get());
  }

  SqliteConnection& connection_;
  State& state_;
};

SqliteConnection::SqliteConnection() : state_(std::make_unique<State>()) {}
SqliteConnection::~SqliteConnection() = default;

SqliteConnection::SqliteConnection(const SqliteOptions& options, MissingFile missing) : SqliteConnection() {
  // SQLite would make the file by the umask; hashes and keys are for this user alone. The file must not be opened
  // here: closing it would drop the locks of all connections of this process (fcntl(2)), and another process would
  // take itself for the last one and remove the log from under them.
  const bool makes = missing == MissingFile::is_made;
  const int unmade = !makes || ::mknod(options.path.c_str(), S_IFREG | 0600, 0) == 0 || errno == EEXIST ? 0 : errno;
  try {
    open(options.path.c_str(), SQLITE_OPEN_READWRITE, options.busy_timeout);
    simple("PRAGMA journal_mode = WAL");
    simple("PRAGMA synchronous = FULL");
  } catch (const Error& error) {
    throw_unopened(options.path, unmade, error);
  }
  // SQLite has opened its log by now, beside the file that a symbolic link leads to.
  const char* resolved = sqlite3_db_filename(state_->database.get(), "main");
  state_->files.emplace(options.path, sqlite3_filename_wal(resolved));
}

std::unique_ptr<SqliteConnection> SqliteConnection::in_memory() {
  std::unique_ptr<SqliteConnection> connection{new SqliteConnection};
  connection->open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, std::chrono::milliseconds{0});
  return connection;
}

/// Before the first connection: SQLite would count all memory that it takes behind one lock of the process, and nobody
/// asks for the sum. Where somebody in this process was earlier it does so, which only costs time.
void use_uncounted_memory() { [[maybe_unused]] static const int once = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

void SqliteConnection::open(const char* path, int flags, std::chrono::milliseconds busy_timeout) {
  use_uncounted_memory();
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  state_->database.reset(opened);
  if (code != SQLITE_OK) throw_sqlite(opened, path);
  sqlite3_busy_timeout(opened, static_cast<int>(busy_timeout.count()));
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  simple("PRAGMA foreign_keys = ON");
  simple("PRAGMA temp_store = MEMORY");
}

void SqliteConnection::simple(const char* sql) {
  Statement statement{*state_, sql};
  while (statement.step()) {
  }
}

void SqliteConnection::set_read_only(bool read_only) {
  if (state_->is_read_only == read_only) return;
  simple(read_only ? "PRAGMA query_only = ON" : "PRAGMA query_only = OFF");
  state_->is_read_only = read_only;
}

void SqliteConnection::script(const std::string& sql) {
  set_read_only(false);
  run_script(sql);
}

void SqliteConnection::run_script(const std::string& sql) {
  sqlite3* database = state_->database.get();
  if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) throw_sqlite(database, sql);
}

bool SqliteConnection::in_transaction() const noexcept { return sqlite3_get_autocommit(state_->database.get()) == 0; }

void SqliteConnection::roll_back() noexcept {
  // After some failures SQLite has rolled back already; a rollback that fails leaves nothing to do either.
  if (in_transaction()) sqlite3_exec(state_->database.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

const SqliteFiles& SqliteConnection::files() const noexcept {
  INVARIANT(state_->files, "a database in memory is asked for its files");
  return *state_->files;
}

void SqliteConnection::require_files() const {
  if (state_->files) state_->files->require_in_place();
}

namespace {

/// A disk that fails, or is full, takes the whole transaction along.
Error rolled_back_by(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return {Failure::unavailable, error.code(), error.what()};
  } catch (...) {
    return {Failure::unavailable, 0, "sqlite: the transaction was rolled back under its statements"};
  }
}

}  // namespace

std::exception_ptr SqliteConnection::run_in_savepoint(const Work& work) {
  simple("SAVEPOINT piece");
  StatementTransaction transaction{*this};
  try {
    work(transaction);
    transaction.rethrow_failure();
    simple("RELEASE piece");
    return nullptr;
  } catch (...) {
    const std::exception_ptr failure = std::current_exception();
    if (!in_transaction()) throw rolled_back_by(failure);
    simple("ROLLBACK TO piece");
    simple("RELEASE piece");
    return failure;
  }
}

bool SqliteConnection::run_as_one(std::span<const Work> pieces) {
  StatementTransaction transaction{*this};
  try {
    for (const Work& work : pieces) {
      work(transaction);
      transaction.rethrow_failure();
    }
    return true;
  } catch (...) {
    return false;
  }
}

/// Savepoints cost a fifth of a small piece, and hardly any piece throws. So all run without them first, and only if
/// one throws is everything undone and done again, each in a savepoint of its own.
Outcomes SqliteConnection::write(std::span<const Work> pieces) {
  Outcomes outcomes;
  set_read_only(false);
  try {
    simple("BEGIN IMMEDIATE");  // the lock now: a read that becomes a write later could find itself out of date
    if (pieces.size() > 1 && run_as_one(pieces)) {
      outcomes.resize(pieces.size());
    } else {
      if (pieces.size() > 1) {
        roll_back();
        simple("BEGIN IMMEDIATE");
      }
      for (const Work& work : pieces) outcomes.push_back(run_in_savepoint(work));
    }
    require_files();  // as late as can be: what is committed into a file that nobody finds would be answered for
    simple("COMMIT");
  } catch (...) {
    roll_back();
    require_files();  // where they are gone that is why, whatever SQLite says
    throw;
  }
  return outcomes;
}

Outcomes SqliteConnection::read(std::span<const Work> pieces) {
  Outcomes outcomes;
  set_read_only(true);
  simple("BEGIN DEFERRED");
  for (const Work& work : pieces) {
    StatementTransaction transaction{*this};
    std::exception_ptr failure;
    try {
      work(transaction);
      transaction.rethrow_failure();
    } catch (...) {
      failure = std::current_exception();
    }
    outcomes.push_back(failure);
  }
  simple("ROLLBACK");
  return outcomes;
}

namespace {

/// Whoever holds one has the file of an engine open.
using InUse = std::shared_ptr<const std::monostate>;

class SqliteSession final : public Session {
 public:
  explicit SqliteSession(std::shared_ptr<SqliteConnection> connection, InUse in_use = nullptr)
      : connection_(std::move(connection)), in_use_(std::move(in_use)) {}
  Outcomes write(std::span<const Work> pieces) override { return connection_->write(pieces); }
  Outcomes read(std::span<const Work> pieces) override { return connection_->read(pieces); }

 private:
  std::shared_ptr<SqliteConnection> connection_;
  InUse in_use_;  // given up before the connection, behind which the log may go
};

/// What it opened first it opens again, and nothing else: neither is a database that is missing now made anew, empty as
/// it would be, nor, while connections are open, a log that these do not write to.
class FileEngine final : public Engine {
 public:
  explicit FileEngine(SqliteOptions options) : options_(std::move(options)) {}

  std::unique_ptr<Session> open() override {
    const bool is_in_use = in_use_.use_count() > 1;  // asked first: who is counted has told its files
    const std::shared_ptr<const SqliteFiles> known = files_.reader().read();
    if (known) require_in_place(*known, is_in_use);
    auto connection =
        std::make_shared<SqliteConnection>(options_, known ? MissingFile::is_an_error : MissingFile::is_made);
    if (known) require_in_place(*known, is_in_use);  // nobody has exchanged them meanwhile
    files_.publish(connection->files());
    return std::make_unique<SqliteSession>(std::move(connection), in_use_);
  }
  bool reads_beside_writer() const noexcept override { return true; }

 private:
  static void require_in_place(const SqliteFiles& known, bool is_in_use) {
    if (is_in_use) return known.require_in_place();
    known.require_database_in_place();
  }

  SqliteOptions options_;
  InUse in_use_ = std::make_shared<const std::monostate>();
  base::Published<SqliteFiles> files_;  // of the last that was opened
};

class SharedEngine final : public Engine {
 public:
  explicit SharedEngine(std::shared_ptr<SqliteConnection> connection) : connection_(std::move(connection)) {}
  std::unique_ptr<Session> open() override { return std::make_unique<SqliteSession>(connection_); }
  bool reads_beside_writer() const noexcept override { return false; }

 private:
  std::shared_ptr<SqliteConnection> connection_;
};

}  // namespace

std::shared_ptr<Engine> sqlite_engine(SqliteOptions options) {
  return std::make_shared<FileEngine>(std::move(options));
}

std::shared_ptr<Engine> sqlite_engine(std::shared_ptr<SqliteConnection> connection) {
  return std::make_shared<SharedEngine>(std::move(connection));
}

}  // namespace troupe::store
