// A transaction as the code sees it that reads and writes rows: SQL with typed values in and
// typed columns out. Which database is behind it is chosen elsewhere.
//
// The SQL is what SQLite understands, with ?1, ?2 and so on for the values; another engine
// translates it (postgres/dialect.h says what it knows). After a statement has failed, the piece
// of work is over: what it still tries fails in the same way, and all that it did is undone.
//
// Statements are always prepared and values always bound; no text from outside becomes SQL.
// A Transaction, and every Row it shows, is good only inside the function it was handed to,
// on the thread that runs it.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace troupe::store {

enum class Failure {
  conflict,      // a constraint refused the row: unique, foreign key, check, not null
  busy,          // somebody else held the database, or our own queue is full; nothing happened
  unavailable,   // the disk is full or fails, the file is gone, the commit did not succeed
  unknown,       // no answer in time: it may have happened or not
  wrong_schema,  // the database was made by another version of the program
  wrong_use,     // the statement itself is wrong, or asks a column for what it is not
};

/// A database said no. Its text names the statement's SQL and the database's reason, never a bound value.
class Error : public std::runtime_error {
 public:
  Error(Failure failure, int code, const std::string& what)
      : std::runtime_error(what), failure_(failure), code_(code) {}
  Failure failure() const noexcept { return failure_; }
  /// The database's own (extended) code, 0 where there is none.
  int code() const noexcept { return code_; }

 private:
  Failure failure_;
  int code_;
};

/// Bytes that are not text, to bind.
struct Blob {
  std::string_view bytes;
};

/// One bound value. Texts and blobs are views: they must live until the statement has run.
class Value {
 public:
  using Content = std::variant<std::monostate, std::int64_t, double, std::string_view, Blob>;

  Value() = default;  // NULL
  Value(std::nullopt_t) {}
  Value(std::int64_t number) : content_(number) {}
  Value(int number) : content_(std::int64_t{number}) {}
  Value(bool) = delete;  // say what the column holds: 0 and 1, or a name
  Value(double number) : content_(number) {}
  Value(std::string_view text) : content_(text) {}
  Value(const std::string& text) : content_(std::string_view{text}) {}
  Value(const char* text) : content_(std::string_view{text}) {}
  Value(Blob blob) : content_(blob) {}
  template <class T>
  Value(const std::optional<T>& maybe) {
    if (maybe) content_ = Value{*maybe}.content_;
  }

  const Content& content() const noexcept { return content_; }

 private:
  Content content_;
};

using Values = std::span<const Value>;

/// The row that a query stands on. Columns count from 0; asking for a type that the column
/// does not have throws Error::wrong_use, so that a wrong schema never passes for data.
class Row {
 public:
  virtual ~Row() = default;
  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual std::string text(int column) const = 0;
  virtual std::string blob(int column) const = 0;

  std::optional<std::int64_t> maybe_integer(int column) const {
    return is_null(column) ? std::nullopt : std::optional{integer(column)};
  }
  std::optional<std::string> maybe_text(int column) const {
    return is_null(column) ? std::nullopt : std::optional{text(column)};
  }
  std::optional<std::string> maybe_blob(int column) const {
    return is_null(column) ? std::nullopt : std::optional{blob(column)};
  }
};

class Transaction {
 public:
  virtual ~Transaction() = default;

  /// Runs a statement that answers no rows; gives how many rows it changed.
  std::int64_t run(std::string_view sql, std::initializer_list<Value> values = {}) {
    return execute(sql, {values.begin(), values.size()}, nullptr);
  }

  /// The same for who does not ask how many rows: it may still be under way when this returns. What it fails with comes
  /// out of a later statement, or of the piece of work as a whole.
  void send(std::string_view sql, std::initializer_list<Value> values = {}) {
    send_statement(sql, {values.begin(), values.size()});
  }

  /// Runs several statements that define tables, indexes and triggers, separated by semicolons.
  virtual void script(std::string_view sql) = 0;

  /// Calls `each(const Row&)` for every row of a query, in its order.
  template <class F>
  void each(std::string_view sql, std::initializer_list<Value> values, F each_row) {
    const std::function<bool(const Row&)> step = [&](const Row& row) { return each_row(row), true; };
    execute(sql, {values.begin(), values.size()}, &step);
  }

  /// What `read(const Row&)` makes of the first row, or nothing when there is none.
  template <class F>
  auto first(std::string_view sql, std::initializer_list<Value> values, F read) {
    std::optional<decltype(read(std::declval<const Row&>()))> found;
    const std::function<bool(const Row&)> step = [&](const Row& row) { return found = read(row), false; };
    execute(sql, {values.begin(), values.size()}, &step);
    return found;
  }

 private:
  /// Runs `sql`; shows its rows to `*step` until that answers false. Gives the number of changed rows.
  virtual std::int64_t execute(std::string_view sql, Values values, const std::function<bool(const Row&)>* step) = 0;
  virtual void send_statement(std::string_view sql, Values values) { execute(sql, values, nullptr); }
};

}  // namespace troupe::store
