// Pipeline: one connection to PostgreSQL, to which statements are sent without waiting for those before them.
//
// Owned by one session. What is sent is answered in its order; the first that fails takes along all behind it, up to
// the next wait. Statements are prepared once, the first time they are sent. Nothing here blocks but by the SocketWait
// that it was given. A connection that has failed stays lost, and every call says so.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "troupe/base/handle.h"
#include "troupe/store/postgres/postgres.h"
#include "troupe/store/socket_wait.h"
#include "troupe/store/transaction.h"

struct pg_conn;
struct pg_result;

namespace troupe::store {

void close_connection(pg_conn* connection) noexcept;
void clear_result(pg_result* result) noexcept;
using ConnectionHandle = base::Handle<pg_conn, close_connection>;
using ResultHandle = base::Handle<pg_result, clear_result>;

/// Counts what was sent on one connection, from 1.
using Ticket = std::int64_t;

class Pipeline {
 public:
  /// Connects, holding the thread. Throws Error::unavailable, with the server's reason and without the password.
  explicit Pipeline(const PostgresOptions& options);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline();

  void wait_by(SocketWait& wait) { wait_ = &wait; }

  /// Sends a statement of SQLite's dialect, with its values.
  Ticket send(std::string_view sql, Values values = {});
  /// The same of one that must be skipped when what was sent before it fails: answers may be taken in front of any
  /// other.
  Ticket send_behind(std::string_view sql, Values values = {});
  /// Sends one of PostgreSQL's own, for this once.
  Ticket send_once(const std::string& sql);
  /// Lets the server answer what was sent, without waiting for it.
  void flush();
  /// Waits for all answers, and gives the last statement's. Throws Error, of the first that failed.
  ResultHandle settle() { return settle_within(patience_); }
  /// The same where each answer may take so long.
  ResultHandle settle_within(base::Duration patience);

  /// Ends the transaction. A connection that cannot even do this is lost, and known to be; so is what was lost before.
  void roll_back() noexcept;
  /// The answer to a statement that was done, where it is the last that came: also when the connection was lost behind
  /// it. Null: it is not.
  ResultHandle answer_to(Ticket ticket);

  bool is_settled() const noexcept { return pending_.empty(); }
  /// The statement that the server refused last; what came behind it did not happen. 0: none was.
  Ticket failed() const noexcept { return failed_; }
  /// What the last failure was: of that statement, or of the connection.
  const Error& last_error() const { return *last_error_; }
  bool is_lost() const noexcept { return is_lost_; }
  /// The connection is not to be used any more.
  void give_up() noexcept { is_lost_ = true; }
  /// Whether the server has closed the connection, as far as is known without waiting.
  bool is_closed() noexcept;

 private:
  enum class Kind : std::uint8_t { prepare, statement, sync };
  struct Pending {
    Kind kind;
    std::string sql;
    Ticket ticket;
  };

  void connect(const PostgresOptions& options);
  void require_unicode();
  /// A setting that not every server takes.
  void ask_for(const std::string& setting);
  const std::string& prepared(std::string_view sql);
  void sync();
  void expect(Kind kind, std::string_view sql);
  void drain(std::size_t pending_left);
  void answer_one();
  ResultHandle next_result();
  void write_out();
  /// `from` says whose answer is late, where the reader cannot know it.
  void wait(actor::IoEvents interest, base::Duration at_most, std::string_view from = {});
  Waited waited(actor::IoEvents interest, base::Duration at_most);
  void require(bool sent);
  void note_failure(const pg_result* result, const Pending& pending);
  [[noreturn]] void lose(const std::string& why);
  void forget_socket() noexcept;

  BlockingWait blocking_;
  SocketWait* wait_ = &blocking_;
  const base::Duration patience_;
  base::Duration present_patience_ = patience_;
  ConnectionHandle connection_;
  int socket_ = -1;                                        // the connection's, until it is lost
  std::map<std::string, std::string, std::less<>> names_;  // of prepared statements, by their SQL
  std::int64_t names_given_ = 0;
  std::deque<Pending> pending_;
  Ticket tickets_ = 0;
  ResultHandle last_;
  Ticket answered_ = 0;      // what `last_` is the answer to
  bool has_failed_ = false;  // among those that are settled now
  std::optional<Error> last_error_;
  Ticket failed_ = 0;
  bool is_lost_ = false;
};

}  // namespace troupe::store
