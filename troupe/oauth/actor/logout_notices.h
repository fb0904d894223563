// Which clients are to be told that sessions have ended: a step of the transaction that ends them.
#pragma once

#include <set>
#include <utility>

#include "troupe/oauth/storage/tables.h"

namespace troupe::oauth {

/// Writes a notice for each client that has a family of the sessions that are about to end, once for each session, and
/// wants to be told. To be shown all families of the sessions, also those that outlive them, and those whose tokens
/// ended before: their clients may still show somebody as signed in. It works before the sessions are marked as ended,
/// since who was in one that was over before has been told.
class LogoutNotes {
 public:
  LogoutNotes(Tables& tables, base::UnixTime now) : tables_(tables), now_(now) {}
  void add(const FamilyRecord& family);

 private:
  Tables& tables_;
  base::UnixTime now_;
  std::set<std::pair<ClientId, SessionId>> seen_;
};

}  // namespace troupe::oauth
