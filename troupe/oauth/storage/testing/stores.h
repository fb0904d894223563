// Both makers of tables behind one face, for the suites that every maker passes; and the ids,
// times and hashes that their rows are made of.
#pragma once

#include <memory>
#include <string_view>

#include "troupe/oauth/storage/schema.h"
#include "troupe/oauth/storage/tables.h"
#include "troupe/store/migration.h"
#include "troupe/store/sqlite.h"

namespace troupe::oauth::stores {

struct InMemory {
  MemoryTables rows;
  template <class F>
  void with(F work) {
    work(rows.all());
  }
};

struct BySql {
  std::unique_ptr<store::SqliteConnection> connection = [] {
    auto made = store::SqliteConnection::in_memory();
    store::migrate(*made, schema(), {0});
    return made;
  }();
  template <class F>
  void with(F work) {
    connection->transact([&](store::Transaction& transaction) {
      SqlTables tables{transaction};
      work(tables.all());
    });
  }
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
