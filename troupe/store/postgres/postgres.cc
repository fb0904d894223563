// See postgres.h: the session, which makes transactions and savepoints of what the pipeline sends.
#include "troupe/store/postgres/postgres.h"

#include <fmt/format.h>

#include <algorithm>

#include "troupe/base/check.h"
#include "troupe/late/pq.h"
#include "troupe/store/piece_transaction.h"
#include "troupe/store/postgres/claim.h"
#include "troupe/store/postgres/dialect.h"
#include "troupe/store/postgres/pipeline.h"
#include "troupe/store/postgres/sqlstate.h"

namespace troupe::store {
namespace {

using late::pq;

// The types of columns, as the server numbers them.
constexpr Oid bool_type = 16, bytea_type = 17, int8_type = 20, int2_type = 21, int4_type = 23, text_type = 25,
              varchar_type = 1043;

constexpr std::string_view lock_writers = "SELECT pg_advisory_xact_lock(128022980485221)";  // "troupe" in ASCII

constexpr base::Duration script_patience = std::chrono::hours{24};

class PostgresRow final : public Row {
 public:
  PostgresRow(const PGresult* result, int row, std::string_view sql) : result_(result), row_(row), sql_(sql) {}

  bool is_null(int column) const override {
    INVARIANT(column >= 0 && column < pq().fields(result_), "a query is asked for a column it has not");
    return pq().is_null(result_, row_, column) != 0;
  }
  std::int64_t integer(int column) const override {
    const std::string_view bytes = require(column, {int8_type, int4_type, int2_type, bool_type});
    // Two's complement, the most significant byte first; the first byte's sign is the number's.
    std::int64_t number = static_cast<signed char>(bytes.front());
    for (const char byte : bytes.substr(1)) number = number * 256 + static_cast<unsigned char>(byte);
    return number;
  }
  std::string text(int column) const override { return std::string{require(column, {text_type, varchar_type})}; }
  std::string blob(int column) const override { return std::string{require(column, {bytea_type})}; }

 private:
  std::string_view require(int column, std::initializer_list<Oid> types) const {
    if (is_null(column) || std::ranges::find(types, pq().field_type(result_, column)) == types.end())
      throw Error{Failure::wrong_use, 0, fmt::format("postgresql: column {} is of another type in: {}", column, sql_)};
    return {pq().value(result_, row_, column), static_cast<std::size_t>(pq().length(result_, row_, column))};
  }

  const PGresult* result_;
  int row_;
  std::string_view sql_;
};

/// The transaction of one piece of work.
class PostgresTransaction final : public PieceTransaction {
 public:
  explicit PostgresTransaction(Pipeline& pipeline) : pipeline_(pipeline) {}

  void script(std::string_view sql) override {
    or_fail([&] {
      pipeline_.send_once("SET LOCAL statement_timeout = 0");  // an index upon many rows takes its time
      for (const std::string& statement : postgres_script(sql)) pipeline_.send_once(statement);
      pipeline_.settle_within(script_patience);
    });
  }

 private:
  std::int64_t execute(std::string_view sql, Values values, const std::function<bool(const Row&)>* step) override {
    const ResultHandle result = or_fail([&] {
      pipeline_.send(sql, values);
      return pipeline_.settle();
    });
    const int rows = step != nullptr ? pq().rows(result.get()) : 0;
    for (int row = 0; row < rows; ++row)
      if (!(*step)(PostgresRow{result.get(), row, sql})) break;
    const std::string_view count = pq().cmd_tuples(result.get());
    return count.empty() ? 0 : std::strtoll(count.data(), nullptr, 10);
  }

  void send_statement(std::string_view sql, Values values) override {
    or_fail([&] { pipeline_.send(sql, values); });
  }

  Pipeline& pipeline_;
};

class PostgresSession final : public Session {
 public:
  PostgresSession(const PostgresOptions& options, ClaimBoard board)
      : pipeline_(options), claim_(pipeline_, std::move(board), options.claim) {}

  void wait_by(SocketWait& wait) override { pipeline_.wait_by(wait); }
  bool is_usable() noexcept override { return !pipeline_.is_closed(); }

  Outcomes write(std::span<const Work> pieces) override {
    settle_last_batch();
    claim_.require();
    return or_roll_back([&] {
      Outcomes outcomes;
      // Each statement sees what others have committed by then: a snapshot would be older than the lock.
      first_ = pipeline_.send("BEGIN ISOLATION LEVEL READ COMMITTED");
      begun_ = pipeline_.send(lock_writers);
      for (const Work& work : pieces) {
        outcomes.emplace_back();
        const bool is_under_way = run_in_savepoint(work, outcomes.back());
        if (is_under_way && outcomes.size() < pieces.size()) settle_piece(outcomes.back());
      }
      commit(outcomes.back());
      give_up_if_read_only();
      return outcomes;
    });
  }

  Outcomes read(std::span<const Work> pieces) override {
    settle_last_batch();
    claim_.require_not_taken();
    return or_roll_back([&] {
      Outcomes outcomes;
      bool has_begun = false;
      for (const Work& work : pieces) {
        if (!has_begun) first_ = begun_ = pipeline_.send("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        outcomes.push_back(run(work));
        has_begun = outcomes.back() == nullptr;  // a failure spoils the snapshot: the next piece has another one
        if (!has_begun) pipeline_.send_behind("ROLLBACK");
      }
      if (has_begun) pipeline_.send_behind("ROLLBACK");
      pipeline_.flush();  // nobody waits for this answer; the next batch takes it
      return outcomes;
    });
  }

 private:
  void settle_last_batch() {
    if (!pipeline_.is_settled()) pipeline_.settle();
  }

  /// Gives what the piece failed with. Throws when the transaction itself has.
  std::exception_ptr run(const Work& work) {
    PostgresTransaction transaction{pipeline_};
    try {
      work(transaction);
      transaction.rethrow_failure();
      return nullptr;
    } catch (...) {
      const std::exception_ptr failure = std::current_exception();
      settle_failed_piece();
      return failure;
    }
  }

  /// Whether statements of the piece are under way that it has not waited for.
  bool run_in_savepoint(const Work& work, std::exception_ptr& outcome) {
    pipeline_.send_behind("SAVEPOINT piece");
    outcome = run(work);
    const bool is_under_way = !pipeline_.is_settled();
    if (outcome) pipeline_.send_behind("ROLLBACK TO piece");
    pipeline_.send_behind("RELEASE piece");
    return is_under_way;
  }

  /// What is still under way of a piece that is undone anyway.
  void settle_failed_piece() {
    try {
      if (!pipeline_.is_lost()) pipeline_.settle();
    } catch (const Error&) {
      // The piece has failed already; whether all have is asked below.
    }
    require_transaction();
  }

  /// Waits for what a piece has sent; what fails of it is the piece's failure.
  void settle_piece(std::exception_ptr& outcome) {
    try {
      pipeline_.settle();
    } catch (const Error&) {
      undo_piece(outcome, std::current_exception());
    }
  }

  void undo_piece(std::exception_ptr& outcome, std::exception_ptr failure) {
    require_transaction();
    outcome = std::move(failure);
    pipeline_.send_behind("ROLLBACK TO piece");
    pipeline_.send_behind("RELEASE piece");
  }

  /// The last piece's statements go together with the commit, which does not happen when one of them fails.
  void commit(std::exception_ptr& last_outcome) {
    const Ticket own = pipeline_.send_behind("COMMIT");
    try {
      return require_committed(settle_commit(own));
    } catch (const Error&) {
      if (pipeline_.is_lost() || pipeline_.failed() < first_ || pipeline_.failed() >= own) throw;
      undo_piece(last_outcome, std::current_exception());
    }
    const Ticket second = pipeline_.send_behind("COMMIT");
    require_committed(settle_commit(second));
  }

  /// Where the connection is lost behind the server's answer, it is the answer that counts.
  ResultHandle settle_commit(Ticket commit) {
    try {
      return pipeline_.settle();
    } catch (const Error& error) {
      if (!pipeline_.is_lost()) throw;
      if (ResultHandle answer = pipeline_.answer_to(commit)) return answer;
      throw Error{Failure::unknown, error.code(), fmt::format("{}, in the middle of a commit", error.what())};
    }
  }

  /// A server that only reads, as a standby does, would refuse the next batch too: a new connection may find the one
  /// that writes.
  void give_up_if_read_only() {
    if (pipeline_.failed() >= first_ && pipeline_.last_error().code() == number_of("25006")) pipeline_.give_up();
  }

  /// The server answers ROLLBACK where the transaction had failed.
  static void require_committed(const ResultHandle& result) {
    if (std::string_view{pq().cmd_status(result.get())} == "COMMIT") return;
    throw Error{Failure::unavailable, 0, "postgresql: the transaction was rolled back at its end"};
  }

  /// Throws what concerns not one piece but all: the connection was lost, or the transaction did not begin.
  void require_transaction() {
    const bool is_in_beginning = pipeline_.failed() >= first_ && pipeline_.failed() <= begun_;
    if (pipeline_.is_lost() || is_in_beginning) throw Error{pipeline_.last_error()};
  }

  template <class F>
  Outcomes or_roll_back(F work) {
    try {
      return work();
    } catch (...) {
      pipeline_.roll_back();
      throw;
    }
  }

  Pipeline pipeline_;
  Claim claim_;
  Ticket first_ = 0;  // what the present transaction begins with: from here
  Ticket begun_ = 0;  // up to here
};

class PostgresEngine final : public Engine {
 public:
  explicit PostgresEngine(PostgresOptions options) : options_(std::move(options)) {}
  std::unique_ptr<Session> open() override { return std::make_unique<PostgresSession>(options_, board_); }
  bool reads_beside_writer() const noexcept override { return true; }
  SessionHome home() const noexcept override { return options_.home; }
  ReopenPause reopen_pause() const noexcept override { return options_.reopen_pause; }

 private:
  const PostgresOptions options_;
  const ClaimBoard board_;
};

}  // namespace

std::shared_ptr<Engine> postgres_engine(PostgresOptions options) {
  return std::make_shared<PostgresEngine>(std::move(options));
}

}  // namespace troupe::store
