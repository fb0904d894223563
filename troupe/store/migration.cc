// See migration.h.
#include "troupe/store/migration.h"

#include <fmt/format.h>

#include "troupe/base/check.h"

namespace troupe::store {
namespace {

constexpr std::string_view journal_of_migrations =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    "number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT";

/// FNV-1a of 64 bits: tells an edited text from the one that was applied; no protection against intent.
std::string checksum_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

struct Applied {
  std::int64_t number;
  std::string name;
  std::string checksum;
};

std::vector<Applied> applied_in(Transaction& transaction) {
  std::vector<Applied> applied;
  transaction.each("SELECT number, name, checksum FROM schema_migrations ORDER BY number", {},
                   [&](const Row& row) { applied.push_back({row.integer(0), row.text(1), row.text(2)}); });
  return applied;
}

void check(const std::vector<Applied>& applied, std::span<const Migration> known) {
  if (applied.size() > known.size()) {
    throw Error{
        Failure::wrong_schema, 0,
        fmt::format("The database was written by a newer version of this program (its schema is number {}, this "
                    "version knows {}). Start the newer version, or restore a backup made before the upgrade.",
                    applied.size(), known.size())};
  }
  for (std::size_t i = 0; i < applied.size(); ++i) {
    if (applied[i].number == known[i].number && applied[i].checksum == checksum_of(known[i].sql)) continue;
    throw Error{Failure::wrong_schema, 0,
                fmt::format("Migration {} of the database (\"{}\") is not the one this version knows (\"{}\"). The "
                            "database belongs to another build of this program.",
                            applied[i].number, applied[i].name, known[i].name)};
  }
}

}  // namespace

int migrate(Session& session, std::span<const Migration> known, base::UnixTime now) {
  for (std::size_t i = 0; i < known.size(); ++i)
    INVARIANT(known[i].number == static_cast<int>(i) + 1, "migrations are numbered from 1 without gaps");

  // A table that is there is not made again: who may only look may not say so much as "if not exists".
  const bool is_made = has_migrations(session);
  // One transaction around all: a second process that starts now waits, and then finds everything done.
  return session.transact([&](Transaction& transaction) {
    if (!is_made) transaction.script(journal_of_migrations);
    const std::vector<Applied> applied = applied_in(transaction);
    check(applied, known);
    for (const Migration& migration : known.subspan(applied.size())) {
      transaction.script(migration.sql);
      transaction.run("INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)",
                      {migration.number, migration.name, checksum_of(migration.sql), now.milliseconds});
    }
    return static_cast<int>(known.size() - applied.size());
  });
}

// A row that was there and is gone leaves its page to be written. An update that changes nothing does not.
void try_writing(Transaction& transaction) {
  transaction.run("INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (0, '', '', 0)", {});
  transaction.run("DELETE FROM schema_migrations WHERE number = 0", {});
}

bool has_migrations(Session& session) {
  try {
    return session.transact([](Transaction& transaction) { return !applied_in(transaction).empty(); });
  } catch (const Error& error) {
    if (error.failure() != Failure::wrong_use) throw;
    return false;  // there is no such table
  }
}

}  // namespace troupe::store
