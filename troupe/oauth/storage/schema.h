// The schema of the authorization server's database, as numbered migrations.
//
// Rows that come often are keyed by their time-ordered id (WITHOUT ROWID: the table is its
// index), so inserts append, no index stands on a random value, and what expired is deleted
// as a range of that key.
#pragma once

#include <span>

#include "troupe/store/migration.h"

namespace troupe::oauth {

std::span<const store::Migration> schema() noexcept;

}  // namespace troupe::oauth
