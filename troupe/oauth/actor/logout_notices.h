// Which clients are to be told that sessions have ended: a step of the transaction that ends them.
#pragma once

#include <span>

#include "troupe/oauth/storage/tables.h"

namespace troupe::oauth {

/// Writes a notice for each client that has one of these families, once for each session, and wants to be told. The
/// families are all of the sessions, also those that outlive them, and those whose tokens ended before: their clients
/// may still show somebody as signed in. To be called before the sessions are marked as ended, since who was in one
/// that was over before has been told.
void note_logouts(Tables& tables, std::span<const FamilyRecord> families, base::UnixTime now);

}  // namespace troupe::oauth
