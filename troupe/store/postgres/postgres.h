// PostgreSQL (13 or later): a database server beside ours, by libpq.
//
// Each session is one connection, which waits on its core without holding it. One writer at a time: its transaction
// takes an advisory lock of the database at its beginning, so that what is decided by reading and then writing holds
// against every other process, as with SQLite. Readers see a snapshot. The SQL is SQLite's, translated (dialect.h).
//
// A server claims the database for itself. The connection that writes holds a second advisory lock for as long as it
// lives, so of two servers one cannot write, and its sessions then do not read either.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "troupe/base/strong.h"
#include "troupe/store/session.h"

namespace troupe::store {

/// Whether the sessions are those of a server, which shares the database with no other one, or of a command, which
/// works beside it.
enum class PostgresClaim : std::uint8_t { none, server };

struct PostgresOptions {
  base::Secret<std::string> url;  // postgresql://... or key=value, as libpq reads it; TLS by its sslmode
  std::chrono::milliseconds connect_timeout{5000};    // as long as a request would wait for its commit
  std::chrono::milliseconds busy_timeout{5000};       // another process's transaction may take its time
  std::chrono::milliseconds statement_timeout{8000};  // askers wait for ten seconds
  ReopenPause reopen_pause{.min = std::chrono::milliseconds{100}, .max = std::chrono::seconds{5}};
  SessionHome home = SessionHome::core;  // the blocking pool: for a simulated system, which has no sockets
  PostgresClaim claim = PostgresClaim::none;
};

/// How long who claims a database waits for it: as long as one that ends may take to be gone.
inline constexpr std::chrono::milliseconds claim_patience{1000};

/// Whether libpq can read it.
bool is_postgres_url(const std::string& url);

/// Where it claims and another server has the database, writing throws Error::unavailable, and so does reading from
/// then on, until a later write could claim it.
std::shared_ptr<Engine> postgres_engine(PostgresOptions options);

}  // namespace troupe::store
