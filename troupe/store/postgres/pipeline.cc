// See pipeline.h. A Sync behind the statements of each wait lets the server answer, and ends what an error skips.
#include "troupe/store/postgres/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "troupe/base/check.h"
#include "troupe/late/pq.h"
#include "troupe/store/postgres/dialect.h"
#include "troupe/store/postgres/sqlstate.h"

namespace troupe::store {
namespace {

constexpr std::size_t pending_max = 512;  // statements under way before their answers are taken
constexpr base::Duration grace = std::chrono::seconds{1};

using late::pq;

void free_info(PQconninfoOption* info) noexcept { pq().conninfo_free(info); }
using InfoHandle = base::Handle<PQconninfoOption, free_info>;

/// libpq's sentences end with a newline, and may have several lines, the later ones behind a tab.
std::string one_line(const char* text) {
  std::string line{text != nullptr ? text : ""};
  while (!line.empty() && line.back() == '\n') line.pop_back();
  std::erase(line, '\t');
  std::ranges::replace(line, '\n', ' ');
  return line;
}

std::string_view field(const PGresult* result, int code) {
  const char* text = pq().result_error_field(result, code);
  return text != nullptr ? text : std::string_view{};
}

/// Values as libpq wants them: numbers as text, which fits whatever integer the column is; bytes as they are.
class Bound {
 public:
  explicit Bound(Values values) {
    numbers_.reserve(values.size());
    for (const Value& value : values) add(value.content());
  }
  int count() const { return static_cast<int>(data_.size()); }
  const char* const* data() const { return data_.data(); }
  const int* sizes() const { return sizes_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  void add(const Value::Content& content) {
    if (const auto* number = std::get_if<std::int64_t>(&content)) return put_number(fmt::format("{}", *number));
    if (const auto* real = std::get_if<double>(&content)) return put_number(fmt::format("{}", *real));
    if (const auto* text = std::get_if<std::string_view>(&content)) return put_bytes(*text);
    if (const auto* blob = std::get_if<Blob>(&content)) return put_bytes(blob->bytes);
    put(nullptr, 0, 0);
  }
  void put_number(std::string text) {
    numbers_.push_back(std::move(text));
    put(numbers_.back().c_str(), 0, 0);
  }
  void put_bytes(std::string_view bytes) { put(bytes.empty() ? "" : bytes.data(), static_cast<int>(bytes.size()), 1); }
  void put(const char* data, int size, int format) {
    data_.push_back(data);
    sizes_.push_back(size);
    formats_.push_back(format);
  }

  std::vector<std::string> numbers_;  // never moved: reserved
  std::vector<const char*> data_;
  std::vector<int> sizes_, formats_;
};

}  // namespace

bool is_postgres_url(const std::string& url) {
  return InfoHandle{pq().conninfo_parse(url.c_str(), nullptr)} != nullptr;
}

void close_connection(pg_conn* connection) noexcept { pq().finish(connection); }
void clear_result(pg_result* result) noexcept { pq().clear(result); }

Pipeline::Pipeline(const PostgresOptions& options) : patience_(options.statement_timeout + grace) {
  connect(options);
  require_unicode();
  pq().set_notice_processor(connection_.get(), [](void*, const char*) {}, nullptr);
  if (pq().set_nonblocking(connection_.get(), 1) != 0 || pq().enter_pipeline_mode(connection_.get()) != 1)
    lose("the connection cannot be used");
  send_once(fmt::format("SET statement_timeout = {}", options.statement_timeout.count()));
  send_once(fmt::format("SET lock_timeout = {}", options.busy_timeout.count()));
  // Who holds the lock of writers and stands still would keep all others waiting.
  send_once(fmt::format("SET idle_in_transaction_session_timeout = {}", 2 * options.statement_timeout.count()));
  // Where we are gone without a word, the locks of this connection are free within half a minute, not two hours.
  for (const char* setting : {"tcp_keepalives_idle = 10", "tcp_keepalives_interval = 5", "tcp_keepalives_count = 3",
                              "tcp_user_timeout = 20000"})
    send_once(fmt::format("SET {}", setting));
  settle();
  // A long statement of ours ends soon after we have gone, where the version and its system know how.
  ask_for("SET client_connection_check_interval = 1000");
}

void Pipeline::ask_for(const std::string& setting) {
  send_once(setting);
  try {
    settle();
  } catch (const Error&) {
    if (is_lost_) throw;
  }
}

Pipeline::~Pipeline() { forget_socket(); }

void Pipeline::connect(const PostgresOptions& options) {
  const std::string& url = options.url.expose();
  // libpq's own sentence would repeat the text, and the password with it.
  if (!is_postgres_url(url)) throw Error{Failure::unavailable, 0, "postgresql: the connection string cannot be read"};
  // What stands before the string is a default, which it may change. A standby is no server of ours: it takes no
  // writes, and what it lets read may be out of date.
  const char* const keys[] = {"target_session_attrs", "dbname", "fallback_application_name", "client_encoding",
                              nullptr};
  const char* const values[] = {"read-write", url.c_str(), "troupe", "UTF8", nullptr};
  connection_.reset(pq().connect_start(keys, values, 1));
  if (!connection_) throw Error{Failure::unavailable, 0, "postgresql: out of memory"};
  base::Clock& clock = base::system_clock();
  const base::Instant end = clock.now() + options.connect_timeout;
  auto state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (pq().status(connection_.get()) == CONNECTION_BAD || state == PGRES_POLLING_FAILED)
      lose(one_line(pq().error_message(connection_.get())));
    socket_ = pq().socket(connection_.get());  // each address that is tried has another one
    const actor::IoEvents interest{.read = state == PGRES_POLLING_READING, .write = state == PGRES_POLLING_WRITING};
    wait(interest, end - clock.now(),
         fmt::format(" from {}, port {}", pq().host(connection_.get()), pq().port(connection_.get())));
    state = pq().connect_poll(connection_.get());
  }
}

/// Any other database refuses, one by one and for ever, the words of people that its encoding does not have. One
/// without an encoding takes bytes as they are.
void Pipeline::require_unicode() {
  const char* const told = pq().parameter_status(connection_.get(), "server_encoding");
  const std::string_view encoding = told != nullptr ? told : "UTF8";  // a pooler may not pass it on
  if (encoding == "UTF8" || encoding == "SQL_ASCII") return;
  lose(fmt::format("the database is encoded as {}, and has to be one of UTF8", encoding));
}

Ticket Pipeline::send(std::string_view sql, Values values) {
  require(!is_lost_);
  if (pending_.size() >= pending_max) {
    sync();
    drain(pending_max / 2);
  }
  return send_behind(sql, values);
}

Ticket Pipeline::send_behind(std::string_view sql, Values values) {
  const std::string& name = prepared(sql);
  const Bound bound{values};
  require(pq().send_query_prepared(connection_.get(), name.c_str(), bound.count(), bound.data(), bound.sizes(),
                                   bound.formats(), 1) == 1);
  expect(Kind::statement, sql);
  return tickets_;
}

Ticket Pipeline::send_once(const std::string& sql) {
  require(!is_lost_ &&
          pq().send_query_params(connection_.get(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 1) == 1);
  expect(Kind::statement, sql);
  return tickets_;
}

const std::string& Pipeline::prepared(std::string_view sql) {
  require(!is_lost_);
  const auto known = names_.find(sql);
  if (known != names_.end()) return known->second;
  std::string& name = names_[std::string{sql}];
  name = fmt::format("s{}", ++names_given_);
  require(pq().send_prepare(connection_.get(), name.c_str(), postgres_statement(sql).c_str(), 0, nullptr) == 1);
  expect(Kind::prepare, sql);
  return name;
}

void Pipeline::expect(Kind kind, std::string_view sql) { pending_.push_back({kind, std::string{sql}, ++tickets_}); }

void Pipeline::sync() {
  require(pq().pipeline_sync(connection_.get()) == 1);
  expect(Kind::sync, "");
}

void Pipeline::flush() {
  sync();
  write_out();
}

ResultHandle Pipeline::settle_within(base::Duration patience) {
  require(!is_lost_);
  present_patience_ = patience;
  if (!pending_.empty() && pending_.back().kind != Kind::sync) flush();
  drain(0);
  if (std::exchange(has_failed_, false)) throw Error{*last_error_};
  return std::move(last_);
}

void Pipeline::roll_back() noexcept {
  if (is_lost_) return;
  try {
    send_behind("ROLLBACK");
    settle();
  } catch (const Error&) {
    give_up();
  }
}

void Pipeline::drain(std::size_t pending_left) {
  write_out();
  while (pending_.size() > pending_left) answer_one();
}

/// Takes the answer to the oldest statement under way.
void Pipeline::answer_one() {
  const Pending pending = std::move(pending_.front());
  pending_.pop_front();
  ResultHandle result = next_result();
  if (!result) lose("an answer is missing");
  const ExecStatusType status = pq().result_status(result.get());
  if (pending.kind == Kind::sync) {
    // The farewell of a server that ends the connection comes in place of whatever was awaited.
    if (status == PGRES_FATAL_ERROR) lose(one_line(pq().result_error_message(result.get())));
    if (status != PGRES_PIPELINE_SYNC) lose("answers are out of step");
    return;
  }
  const bool is_done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  if (!is_done && pending.kind == Kind::prepare) names_.erase(pending.sql);
  if (status == PGRES_FATAL_ERROR) note_failure(result.get(), pending);
  if (is_done && pending.kind == Kind::statement) {
    last_ = std::move(result);
    answered_ = pending.ticket;
  }
  while (const ResultHandle rest = next_result()) {
  }
}

ResultHandle Pipeline::answer_to(Ticket ticket) { return answered_ == ticket ? std::move(last_) : ResultHandle{}; }

void Pipeline::note_failure(const pg_result* result, const Pending& pending) {
  const std::string_view state = field(result, PG_DIAG_SQLSTATE);
  if (state.empty() || ends_connection(state)) lose(one_line(pq().result_error_message(result)));
  if (std::exchange(has_failed_, true)) return;
  failed_ = pending.ticket;
  std::string reason{may_show_values(state) ? "a value was refused" : field(result, PG_DIAG_MESSAGE_PRIMARY)};
  last_error_.emplace(failure_of(state), number_of(state),
                      fmt::format("postgresql: {} ({}) in: {}", reason, state, pending.sql));
}

ResultHandle Pipeline::next_result() {
  while (pq().is_busy(connection_.get()) != 0) {
    wait({.read = true, .write = false}, present_patience_);
    if (pq().consume_input(connection_.get()) != 0) continue;
    // What came in front of the end is an answer all the same: to a commit, or why the server has ended it.
    const std::string why = one_line(pq().error_message(connection_.get()));
    ResultHandle last{pq().get_result(connection_.get())};
    const bool is_answer = last && (pq().result_status(last.get()) != PGRES_FATAL_ERROR ||
                                    !field(last.get(), PG_DIAG_SQLSTATE).empty());  // libpq's own failures have none
    if (!is_answer) lose(why);
    return last;
  }
  return ResultHandle{pq().get_result(connection_.get())};
}

void Pipeline::write_out() {
  while (true) {
    const int left = pq().flush(connection_.get());
    if (left == 0) return;
    if (left < 0) lose(one_line(pq().error_message(connection_.get())));
    // The server may wait for us to read before it reads on.
    wait({.read = true, .write = true}, present_patience_);
    if (pq().consume_input(connection_.get()) == 0) lose(one_line(pq().error_message(connection_.get())));
  }
}

void Pipeline::wait(actor::IoEvents interest, base::Duration at_most, std::string_view from) {
  switch (waited(interest, at_most)) {
    case Waited::ready:
      return;
    case Waited::late:
      lose(fmt::format("no answer in time{}", from));
    case Waited::cancelled:
      lose("nobody waits for the answer any more");
  }
}

Waited Pipeline::waited(actor::IoEvents interest, base::Duration at_most) {
  try {
    return wait_->wait(socket_, interest, at_most);
  } catch (const std::system_error& error) {  // the system watches no more sockets
    lose(error.what());
  }
}

void Pipeline::require(bool sent) {
  if (sent) return;
  lose(is_lost_ ? "the connection was lost before" : one_line(pq().error_message(connection_.get())));
}

void Pipeline::lose(const std::string& why) {
  is_lost_ = true;
  forget_socket();
  last_error_.emplace(Failure::unavailable, 0, fmt::format("postgresql: {}", why));
  throw Error{*last_error_};
}

bool Pipeline::is_closed() noexcept {
  if (is_lost_) return true;
  // The first look takes what was still to come, or the server's farewell; the second one finds the end behind it.
  pg_conn* connection = connection_.get();
  is_lost_ = pq().consume_input(connection) == 0 || pq().consume_input(connection) == 0 ||
             pq().status(connection) != CONNECTION_OK;
  if (is_lost_) forget_socket();
  return is_lost_;
}

/// At once, by the number: libpq has closed the socket where it found its end, and the next one may get that number.
void Pipeline::forget_socket() noexcept {
  if (socket_ >= 0) wait_->forget(std::exchange(socket_, -1));
}

}  // namespace troupe::store
