// The journal of events and snapshots in SQL, on the same Database as everything else: appends
// that come together share one transaction and one sync (group commit).
//
//   system.provide<actor::Journal>(sql_journal(system, {.path = "bank.db"}));  // a file of its own
//   system.provide<actor::Journal>(sql_journal(database));                     // beside other tables
//   system.provide<actor::Journal>(sql_journal(                                // a PostgreSQL database of its own
//       Database::start(system, sql_journal_engine(postgres_engine({.url = url})))));
//
// Three tables. `journal_entities` has one row an entity: its id, the epoch of its present writer
// and the sequence of its last event. `journal_events` is in the order of writing, so that inserts
// go to the end, and is found by entity and sequence; each event bears name, version, bytes and
// when it was recorded. `journal_snapshots` has a few rows an entity. Each append and snapshot
// compares the writer's head with the entity's row within its own savepoint; what is refused is
// a value, so it undoes nothing of the others in its transaction.
#pragma once

#include <memory>
#include <span>

#include "troupe/actor/persist/journal.h"
#include "troupe/store/database.h"
#include "troupe/store/migration.h"
#include "troupe/store/sqlite.h"

namespace troupe::store {

/// What a database needs before it is a journal; forward only.
std::span<const Migration> sql_journal_migrations();

/// A journal for the actors of all cores, in a database that has these migrations. See actor/persist/journal.h;
/// whatever the database throws comes out as actor::JournalFailed.
std::shared_ptr<actor::Journal> sql_journal(Database database);

/// The same engine, whose database has these migrations now and is a journal and nothing else. Throws store::Error. It
/// blocks, so it is for `main`.
std::shared_ptr<Engine> sql_journal_engine(std::shared_ptr<Engine> engine);

/// The engine of a file that is a journal and nothing else: it is made when it is missing, and migrated. Throws
/// store::Error. It blocks, so it is for `main`.
std::shared_ptr<Engine> sql_journal_engine(const SqliteOptions& file);

/// A journal in a file of its own, with its sessions below `where`: a System, a Context or a test::World. See
/// sql_journal_engine.
template <class Where>
std::shared_ptr<actor::Journal> sql_journal(Where& where, const SqliteOptions& file) {
  return sql_journal(Database::start(where, sql_journal_engine(file)));
}

}  // namespace troupe::store
