// Where the conformance suites of the tables keep their rows: the twin in memory, and SQL on both engines at once; and
// the ids, times and hashes that the rows are made of.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string_view>

#include "troupe/oauth/storage/schema.h"
#include "troupe/oauth/storage/tables.h"
#include "troupe/store/postgres/testing/postgres_server.h"
#include "troupe/store/sqlite.h"

namespace troupe::oauth::stores {

template <class F>
bool throws_conflict(F work) {
  try {
    work();
    return false;
  } catch (const store::Error& error) {
    return error.failure() == store::Failure::conflict;
  }
}

struct InMemory {
  MemoryTables rows;
  template <class F>
  void with(F work) {
    work(rows.all());
  }
  /// A failure ends a transaction, so what conflicts stands in one of its own.
  template <class F>
  bool conflicts(F work) {
    return throws_conflict([&] { with(work); });
  }
};

/// Runs everything twice: on SQLite and on PostgreSQL.
class BySql {
 public:
  template <class F>
  void with(F work) {
    run(*sqlite_, work);
    run(*postgres_, work);
  }
  template <class F>
  bool conflicts(F work) {
    return throws_conflict([&] { run(*sqlite_, work); }) && throws_conflict([&] { run(*postgres_, work); });
  }

 private:
  static std::unique_ptr<store::Session> migrated(std::unique_ptr<store::Session> session) {
    store::migrate(*session, schema(), {0});
    return session;
  }
  static std::unique_ptr<store::Session> new_postgres() {
    auto& server = store::test::PostgresServer::of_this_process();
    return server.session(server.make_database());
  }
  template <class F>
  void run(store::Session& session, F work) {
    INFO(std::string{&session == sqlite_.get() ? "SQLite" : "PostgreSQL"});
    session.transact([&](store::Transaction& transaction) {
      SqlTables tables{transaction};
      work(tables.all());
    });
  }

  std::unique_ptr<store::Session> sqlite_ = migrated(store::SqliteConnection::in_memory());
  std::unique_ptr<store::Session> postgres_ = migrated(new_postgres());
};

inline constexpr base::UnixTime now{1'700'000'000'000};

inline base::UnixTime at(int seconds) { return now + std::chrono::seconds{seconds}; }

/// The n-th of a row of ids that rise with n, a second apart.
inline crypto::TokenId id(int n) {
  base::SeededRandom random{static_cast<std::uint64_t>(n)};
  return crypto::TokenIds{}.next(at(n), random);
}

inline crypto::Digest hash(std::string_view text) { return crypto::sha256(text); }
inline ScopeSet scope(std::string_view text) { return ScopeSet::parse(text).value(); }

}  // namespace troupe::oauth::stores
