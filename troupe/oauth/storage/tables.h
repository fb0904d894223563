// All tables of the authorization server as one value, for one transaction; and both makers
// of it: in memory for tests, by SQL for everything else.
#pragma once

#include "troupe/oauth/storage/audit.h"
#include "troupe/oauth/storage/clients.h"
#include "troupe/oauth/storage/grants.h"
#include "troupe/oauth/storage/keys.h"
#include "troupe/oauth/storage/logouts.h"
#include "troupe/oauth/storage/users.h"

namespace troupe::oauth {

/// What a piece of work reads and writes. Good inside its transaction only.
struct Tables {
  ClientTable& clients;
  UserTable& users;
  GrantTable& grants;
  KeyTable& keys;
  AuditTable& audit;
  LogoutTable& logouts;
};

/// The rows of a test or simulation. Copying it copies the rows.
struct MemoryTables {
  MemoryClients clients;
  MemoryUsers users;
  MemoryGrants grants;
  MemoryKeys keys;
  MemoryAudit audit;
  MemoryLogouts logouts;

  Tables all() { return {clients, users, grants, keys, audit, logouts}; }
};

/// The tables of the database that `transaction` works on.
struct SqlTables {
  explicit SqlTables(store::Transaction& transaction, const KeySeals* seals = nullptr)
      : clients(transaction),
        users(transaction),
        grants(transaction),
        keys(transaction, seals),
        audit(transaction),
        logouts(transaction) {}

  SqlClients clients;
  SqlUsers users;
  SqlGrants grants;
  SqlKeys keys;
  SqlAudit audit;
  SqlLogouts logouts;

  Tables all() { return {clients, users, grants, keys, audit, logouts}; }
};

}  // namespace troupe::oauth
