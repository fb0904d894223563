// What PostgreSQL must be told in other words than SQLite: one text of SQL serves both.
//
// In any statement: ?1 is $1, and the name `user`, which PostgreSQL takes for the one who is connected, stands in
// quotes. In a script that defines tables, besides: INTEGER is BIGINT, BLOB is BYTEA, REAL is DOUBLE PRECISION, and
// TEXT is ordered by its bytes; an INTEGER PRIMARY KEY gets a number when none is given; AUTOINCREMENT, STRICT and
// WITHOUT ROWID are left out; AFTER triggers become a function and a trigger for each row.
//
// Whatever is not here must be written so that both understand it: ON CONFLICT instead of INSERT OR REPLACE, the
// table's name before a column that ON CONFLICT DO UPDATE reads, no arithmetic upon a value (?1 + 1 would be of 32
// bits), and a value beside the column that gives it its type before it is asked whether it IS NULL.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe::store {

/// One statement that reads or writes rows.
std::string postgres_statement(std::string_view sql);

/// The statements of a script, one by one and without what parts them. Throws Error::wrong_use where it cannot be
/// translated.
std::vector<std::string> postgres_script(std::string_view sql);

}  // namespace troupe::store
