// See schema.h. A migration that was released is never edited; the next one follows it.
#include "troupe/oauth/storage/schema.h"

namespace troupe::oauth {
namespace {

// Times are milliseconds since 1970. Enumerations are the texts of the protocol, or 0 and 1.
constexpr std::string_view first_light = R"sql(
CREATE TABLE clients (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  auth_method TEXT NOT NULL,
  redirect_uris TEXT NOT NULL,
  post_logout_redirect_uris TEXT NOT NULL,
  grant_types TEXT NOT NULL,
  scope TEXT NOT NULL,
  requires_pkce INTEGER NOT NULL,
  has_opaque_tokens INTEGER NOT NULL,
  access_token_alg TEXT NOT NULL,
  id_token_alg TEXT NOT NULL,
  access_token_seconds INTEGER,
  is_disabled INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE client_secrets (
  id BLOB PRIMARY KEY,
  client TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
  hash BLOB NOT NULL,
  expires_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX client_secrets_of ON client_secrets (client);

CREATE TABLE users (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  email TEXT,
  is_disabled INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  password_hash TEXT NOT NULL,
  password_changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  id BLOB PRIMARY KEY,
  hash BLOB NOT NULL,
  user TEXT NOT NULL,
  signed_in_at INTEGER NOT NULL,
  amr TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE consents (
  user TEXT NOT NULL,
  client TEXT NOT NULL,
  scope TEXT NOT NULL,
  granted_at INTEGER NOT NULL,
  PRIMARY KEY (user, client)
) STRICT, WITHOUT ROWID;

CREATE TABLE codes (
  id BLOB PRIMARY KEY,
  family BLOB NOT NULL,
  client TEXT NOT NULL,
  scope TEXT NOT NULL,
  audience TEXT NOT NULL,
  nonce TEXT NOT NULL,
  user TEXT,
  session BLOB,
  signed_in_at INTEGER,
  amr TEXT,
  hash BLOB NOT NULL,
  redirect_uri TEXT NOT NULL,
  code_challenge TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  is_used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE families (
  family BLOB PRIMARY KEY,
  client TEXT NOT NULL,
  scope TEXT NOT NULL,
  audience TEXT NOT NULL,
  nonce TEXT NOT NULL,
  user TEXT,
  session BLOB,
  signed_in_at INTEGER,
  amr TEXT,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER,
  revoked_because TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX families_of_session ON families (session) WHERE session IS NOT NULL;
CREATE INDEX families_of_user ON families (user) WHERE user IS NOT NULL;

CREATE TABLE refresh_tokens (
  id BLOB PRIMARY KEY,
  family BLOB NOT NULL,
  hash BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  rotated_at INTEGER,
  successor BLOB,
  access BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE access_tokens (
  id BLOB PRIMARY KEY,
  family BLOB NOT NULL,
  client TEXT NOT NULL,
  scope TEXT NOT NULL,
  audience TEXT NOT NULL,
  nonce TEXT NOT NULL,
  user TEXT,
  session BLOB,
  signed_in_at INTEGER,
  amr TEXT,
  hash BLOB NOT NULL,
  is_opaque INTEGER NOT NULL,
  alg TEXT NOT NULL,
  issued_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_keys (
  id TEXT PRIMARY KEY,
  alg TEXT NOT NULL,
  der BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  signs_from INTEGER NOT NULL,
  signs_until INTEGER NOT NULL,
  retired_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE token_keys (
  id INTEGER PRIMARY KEY,
  secret BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE events (
  id BLOB PRIMARY KEY,
  kind TEXT NOT NULL,
  client TEXT,
  user TEXT,
  family BLOB,
  reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Whoever holds clients or keys in memory looks here whether they still are what was read:
-- another process, such as the command line, may have changed them.
CREATE TABLE changes (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO changes VALUES ('clients', 0), ('keys', 0);
CREATE TRIGGER clients_insert AFTER INSERT ON clients BEGIN
  UPDATE changes SET count = count + 1 WHERE name = 'clients';
END;
CREATE TRIGGER clients_update AFTER UPDATE ON clients BEGIN
  UPDATE changes SET count = count + 1 WHERE name = 'clients';
END;
CREATE TRIGGER clients_delete AFTER DELETE ON clients BEGIN
  UPDATE changes SET count = count + 1 WHERE name = 'clients';
END;
CREATE TRIGGER client_secrets_insert AFTER INSERT ON client_secrets BEGIN
  UPDATE changes SET count = count + 1 WHERE name = 'clients';
END;
CREATE TRIGGER client_secrets_update AFTER UPDATE ON client_secrets BEGIN
  UPDATE changes SET count = count + 1 WHERE name = 'clients';
END;
CREATE TRIGGER client_secrets_delete AFTER DELETE ON client_secrets BEGIN
  UPDATE changes SET count = count + 1 WHERE name = 'clients';
END;
CREATE TRIGGER signing_keys_insert AFTER INSERT ON signing_keys BEGIN
  UPDATE changes SET count = count + 1 WHERE name = 'keys';
END;
CREATE TRIGGER signing_keys_update AFTER UPDATE ON signing_keys BEGIN
  UPDATE changes SET count = count + 1 WHERE name = 'keys';
END;
CREATE TRIGGER signing_keys_delete AFTER DELETE ON signing_keys BEGIN
  UPDATE changes SET count = count + 1 WHERE name = 'keys';
END;
)sql";

// Endings are numbered by the database and never again by the same number, so that who has read up to one misses none.
constexpr std::string_view endings = R"sql(
ALTER TABLE clients ADD COLUMN valid_from INTEGER NOT NULL DEFAULT 0;

CREATE TABLE endings (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  client TEXT,
  user TEXT
) STRICT;
)sql";

// Only sessions that may still be alive are listed, so the index has no others, and "last seen" does not touch it.
constexpr std::string_view sessions_know_their_browser = R"sql(
ALTER TABLE sessions ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
CREATE INDEX sessions_of_user ON sessions (user) WHERE ended_at IS NULL;
)sql";

constexpr std::string_view registrations = R"sql(
CREATE TABLE client_registrations (
  client TEXT PRIMARY KEY REFERENCES clients (id) ON DELETE CASCADE,
  token_hash BLOB NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// The id of the key that has sealed the row's secret; none: it stands in clear.
constexpr std::string_view sealed_keys = R"sql(
ALTER TABLE signing_keys ADD COLUMN sealed_by TEXT;
ALTER TABLE token_keys ADD COLUMN sealed_by TEXT;
ALTER TABLE endings ADD COLUMN signing_key TEXT;
)sql";

// Each event bears the hash of what it says and of the hash before it; segment 0 is what is older than the chain.
// Checkpoints outlive the rows of their segments.
constexpr std::string_view chained_events = R"sql(
ALTER TABLE events ADD COLUMN token BLOB;
ALTER TABLE events ADD COLUMN request TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN done_by TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN segment INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN hash BLOB;

CREATE TABLE audit_checkpoints (
  segment INTEGER PRIMARY KEY,
  count INTEGER NOT NULL,
  last BLOB NOT NULL,
  last_hash BLOB NOT NULL,
  hash BLOB NOT NULL,
  is_removed INTEGER NOT NULL
) STRICT;

-- How far somebody has come who goes along with the trail.
CREATE TABLE audit_readers (name TEXT PRIMARY KEY, last BLOB NOT NULL) STRICT, WITHOUT ROWID;
)sql";

// What the command line takes back of a single grant is heard of by the server as the rest is.
constexpr std::string_view endings_of_grants = R"sql(
ALTER TABLE endings ADD COLUMN family BLOB;
ALTER TABLE endings ADD COLUMN token BLOB;
)sql";

// An assertion is found by what it is, since it must not come twice; and removed by its end, which has an index. A
// notice is numbered by the database: its number goes into what the client is told, and must never come again.
constexpr std::string_view keys_and_notices = R"sql(
ALTER TABLE clients ADD COLUMN jwks TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN jwks_uri TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN auth_signing_alg TEXT;
ALTER TABLE clients ADD COLUMN backchannel_logout_uri TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN logout_requires_session INTEGER NOT NULL DEFAULT 0;

CREATE TABLE client_assertions (
  hash BLOB PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX client_assertions_by_end ON client_assertions (expires_at);

CREATE TABLE logout_notices (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  client TEXT NOT NULL,
  user TEXT NOT NULL,
  session BLOB NOT NULL,
  made_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  next_at INTEGER NOT NULL
) STRICT;
CREATE INDEX logout_notices_by_time ON logout_notices (next_at);
)sql";

// Which claims of the user the ID tokens of a grant are to have.
constexpr std::string_view claims_of_id_tokens = R"sql(
ALTER TABLE codes ADD COLUMN id_token_claims TEXT NOT NULL DEFAULT '';
ALTER TABLE families ADD COLUMN id_token_claims TEXT NOT NULL DEFAULT '';
)sql";

// Sessions that end by their age or because nobody uses them are found by these. A session that is used moves in the
// second one, once a minute at most, or ten times in an idle time that is short.
constexpr std::string_view sessions_by_their_end = R"sql(
CREATE INDEX sessions_by_age ON sessions (expires_at) WHERE ended_at IS NULL;
CREATE INDEX sessions_by_use ON sessions (seen_at) WHERE ended_at IS NULL;
)sql";

// Of which resources a client is the server; and whether an operator has changed a client that manages itself, which
// then widens no more what it has.
constexpr std::string_view resource_servers = R"sql(
ALTER TABLE clients ADD COLUMN resources TEXT NOT NULL DEFAULT '';
ALTER TABLE client_registrations ADD COLUMN is_bounded INTEGER NOT NULL DEFAULT 0;
)sql";

// How far the rows of a removed segment are gone: the hash of the newest of them.
constexpr std::string_view removals_by_hash = R"sql(
ALTER TABLE audit_checkpoints ADD COLUMN gone_to BLOB;
)sql";

// Consents go with their client: they are found by it, and those of clients that went before them go now.
constexpr std::string_view consents_by_client = R"sql(
DELETE FROM consents WHERE client NOT IN (SELECT id FROM clients);
CREATE INDEX consents_of_client ON consents (client);
)sql";

// Families of a session or user are read page by page, in the order of their ids. On SQLite an index ends with the key
// of its table anyway. A sign-in counts the user's open sessions in their order: that index has all it asks for, also
// the column of its condition, without which SQLite would look into each row.
constexpr std::string_view in_order_of_ids = R"sql(
DROP INDEX families_of_session;
DROP INDEX families_of_user;
CREATE INDEX families_of_session ON families (session, family) WHERE session IS NOT NULL;
CREATE INDEX families_of_user ON families (user, family) WHERE user IS NOT NULL;
DROP INDEX sessions_of_user;
CREATE INDEX sessions_of_user ON sessions (user, id, ended_at) WHERE ended_at IS NULL;
)sql";

constexpr store::Migration migrations[] = {{1, "first light", first_light},
                                           {2, "endings", endings},
                                           {3, "sessions know their browser", sessions_know_their_browser},
                                           {4, "clients that register themselves", registrations},
                                           {5, "sealed keys", sealed_keys},
                                           {6, "events are a chain", chained_events},
                                           {7, "endings of single grants", endings_of_grants},
                                           {8, "keys of clients, notices of sign-outs", keys_and_notices},
                                           {9, "claims of ID tokens", claims_of_id_tokens},
                                           {10, "sessions by their end", sessions_by_their_end},
                                           {11, "servers of resources, bounded registrations", resource_servers},
                                           {12, "removals by hash", removals_by_hash},
                                           {13, "consents by client", consents_by_client},
                                           {14, "families and sessions in order", in_order_of_ids}};

}  // namespace

std::span<const store::Migration> schema() noexcept { return migrations; }

}  // namespace troupe::oauth
