// Migrations: how a database becomes what this version of the program needs.
//
// Numbered from 1 without gaps and forward only. What has once been applied is never edited:
// its checksum is kept beside it and compared at every start. Two processes may start at once.
#pragma once

#include <span>
#include <string_view>

#include "troupe/base/clock.h"
#include "troupe/store/session.h"

namespace troupe::store {

struct Migration {
  int number;
  std::string_view name;
  std::string_view sql;  // one or more statements, written for SQLite; postgres/dialect.h translates them
};

/// Applies what is missing, all of it or nothing; gives how many were applied. Throws Error::wrong_schema,
/// with a sentence for the operator, when the database is newer than `known` or an applied migration was edited.
/// Where nothing is missing, a user of the database who may only read will do. It blocks.
int migrate(Session& session, std::span<const Migration> known, base::UnixTime now);

/// Has a migrated database write to its disk, and leaves it as it was. What may only be read refuses this, and so does
/// a disk that is full, at the latest when the transaction is committed. Throws Error.
void try_writing(Transaction& transaction);

/// Whether anybody has ever applied migrations to it. Throws Error. It blocks.
bool has_migrations(Session& session);

}  // namespace troupe::store
