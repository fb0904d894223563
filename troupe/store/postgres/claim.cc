// See claim.h.
#include "troupe/store/postgres/claim.h"

#include <fmt/format.h>

#include <algorithm>

#include "troupe/late/pq.h"

namespace troupe::store {
namespace {

using late::pq;

// Held by the connection, not by a transaction: the number of the lock of writers, and one more.
constexpr std::int64_t lock_of_servers = 128022980485222;

// Each a database that went away again before it could be claimed; there is no need to know more.
constexpr std::size_t left_max = 256;

constexpr std::string_view since_when = "(extract(epoch FROM backend_start) * 1000000)::bigint::text";

std::string text_in(const ResultHandle& result, int column) {
  return {pq().value(result.get(), 0, column), static_cast<std::size_t>(pq().length(result.get(), 0, column))};
}

}  // namespace

struct Claim::Holder {
  Backend backend;
  std::string name;     // as it calls itself; empty: none, or not ours to see
  std::string address;  // the same; empty also on the database's own machine

  std::string description() const {
    std::string text = fmt::format("process {}", backend.process);
    if (!name.empty()) text += fmt::format(", application {}", name);
    if (!address.empty()) text += fmt::format(", from {}", address);
    return text;
  }
};

Claim::Claim(Pipeline& pipeline, ClaimBoard board, PostgresClaim wanted)
    : pipeline_(pipeline), board_(std::move(board)), is_wanted_(wanted == PostgresClaim::server) {}

Claim::~Claim() {
  if (!own_) return;
  std::vector<Backend> left = *board_.left.reader().read();
  if (left.size() >= left_max) return;
  left.push_back(*std::move(own_));
  board_.left.publish(std::move(left));
}

void Claim::require() {
  if (!is_wanted_ || is_held_) return;
  if (!own_) own_ = own_backend();
  if (!take()) take_from_holder();
  is_held_ = true;
  board_.left.publish(std::vector<Backend>{});  // none of them can have it any more
  if (!taken_.read()->empty()) board_.taken.publish(std::string{});
}

void Claim::require_not_taken() {
  if (const std::string& taken = *taken_.read(); !taken.empty()) throw Error{Failure::unavailable, 0, taken};
}

Backend Claim::own_backend() {
  pipeline_.send_once(
      fmt::format("SELECT pid::text, {} FROM pg_stat_activity WHERE pid = pg_backend_pid()", since_when));
  const ResultHandle row = pipeline_.settle();
  if (pq().rows(row.get()) != 1) throw Error{Failure::unavailable, 0, "postgresql: the server does not show itself"};
  return {.process = text_in(row, 0), .since = text_in(row, 1)};
}

/// False: somebody has it.
bool Claim::take() {
  try {
    pipeline_.send("BEGIN");
    pipeline_.send_once(fmt::format("SET LOCAL lock_timeout = {}", claim_patience.count()));
    pipeline_.send_once(fmt::format("SELECT pg_advisory_lock({})", lock_of_servers));
    pipeline_.send_behind("COMMIT");
    pipeline_.settle();
    return true;
  } catch (const Error& error) {
    pipeline_.roll_back();
    if (error.failure() != Failure::busy || pipeline_.is_lost()) throw;
    return false;
  }
}

/// Throws unless the holder was an earlier connection of ours, and has ended in time.
void Claim::take_from_holder() {
  const std::optional<Holder> holder = find_holder();
  if (holder && !has_left(holder->backend)) {
    board_.taken.publish(
        fmt::format("postgresql: another server serves this database already ({})", holder->description()));
    require_not_taken();
  }
  if (holder) end(holder->backend);
  if (take()) return;
  const std::string who = holder ? fmt::format(" (process {})", holder->backend.process) : "";
  throw Error{Failure::unavailable, 0,
              fmt::format("postgresql: this server waits for the end of its own former connection{}", who)};
}

/// None: it has let go meanwhile.
std::optional<Claim::Holder> Claim::find_holder() {
  pipeline_.send_once(fmt::format(
      "SELECT pid::text, coalesce({}, ''), coalesce(application_name, ''), coalesce(host(client_addr), '') "
      "FROM pg_locks LEFT JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
      "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
      "AND (classid::bigint << 32 | objid::bigint) = {}",
      since_when, lock_of_servers));
  const ResultHandle row = pipeline_.settle();
  if (pq().rows(row.get()) == 0) return std::nullopt;
  return Holder{.backend = {.process = text_in(row, 0), .since = text_in(row, 1)},
                .name = text_in(row, 2),
                .address = text_in(row, 3)};
}

bool Claim::has_left(const Backend& backend) const {
  const auto left = board_.left.reader().read();
  return std::ranges::find(*left, backend) != left->end();
}

/// What it had under way is as unknown as it was: its commit may have happened.
void Claim::end(const Backend& backend) {
  pipeline_.send_once(fmt::format("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {} AND {} = '{}'",
                                  backend.process, since_when, backend.since));
  pipeline_.settle();
}

}  // namespace troupe::store
