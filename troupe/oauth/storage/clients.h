// The clients' table, its twin in memory, and the same rows by SQL.
//
// A table is used inside one transaction: what it changes is there for all or not at all,
// and the transaction decides when. Names and ids that stand twice throw Error::conflict.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "troupe/oauth/storage/records.h"
#include "troupe/store/transaction.h"

namespace troupe::oauth {

/// What decides whether grants of a client still stand.
struct ClientStanding {
  ClientState state = ClientState::enabled;
  base::UnixTime valid_from{};  // as in Client
};

/// How a client that registered itself manages its registration (RFC 7592).
struct RegistrationRecord {
  crypto::Digest token_hash;
  bool is_bounded = false;  // an operator has changed the client: it no longer widens what it has
};

/// A client whose row cannot be read: it was damaged on its way to the disk or back, or somebody has written into it.
struct DamagedClient {
  ClientId id;
  std::string why;
};

/// What a row says. One that is damaged is told apart, so that it stands in nobody else's way.
using ClientRow = std::expected<Client, DamagedClient>;

inline const ClientId& id_of(const ClientRow& row) { return row ? row->id : row.error().id; }

class ClientTable {
 public:
  virtual ~ClientTable() = default;
  virtual void insert(const Client& client) = 0;
  /// For who can do nothing without it: one whose row is damaged throws Error::wrong_schema, which names it.
  std::optional<Client> find(const ClientId& id);
  /// For who goes on without it.
  virtual std::optional<ClientRow> find_row(const ClientId& id) = 0;
  /// That much of it alone: it is asked for with each look at a token.
  virtual std::optional<ClientStanding> find_standing(const ClientId& id) = 0;
  /// All clients by id, at most `count` of those behind `after`.
  virtual std::vector<ClientRow> list(const ClientId& after, int count) = 0;
  /// Whether there was such a client and its version was the one before this value's: nobody else changed it.
  virtual bool update(const Client& client) = 0;
  virtual bool remove(const ClientId& id) = 0;

  virtual void insert_secret(const ClientSecretRecord& secret) = 0;
  virtual std::vector<ClientSecretRecord> secrets_of(const ClientId& id) = 0;
  virtual bool remove_secret(const crypto::TokenId& id) = 0;

  /// The hash of the token by which a client that registered itself manages its registration; takes the place of the
  /// one before, and leaves the rest of the record. Goes with its client.
  virtual void put_registration(const ClientId& id, const crypto::Digest& token_hash) = 0;
  /// From now on the client widens no more what it has, where it manages itself at all. There is no way back.
  virtual void bound_registration(const ClientId& id) = 0;
  virtual std::optional<RegistrationRecord> find_registration(const ClientId& id) = 0;
  /// How many clients have one.
  virtual std::int64_t count_registrations() = 0;

  /// Notes that an assertion was shown, which is good until then; whether it was not known yet. The one place where an
  /// assertion is spent.
  virtual bool use_assertion(const crypto::Digest& hash, base::UnixTime expires_at) = 0;
  /// Removes assertions that had expired at `end`, at most `count`; gives how many.
  virtual int remove_assertions_expired(base::UnixTime end, int count) = 0;

  /// A number that rises whenever a client or secret changes, by whichever process.
  virtual std::int64_t generation() = 0;
};

class MemoryClients final : public ClientTable {
 public:
  void insert(const Client& client) override;
  std::optional<ClientRow> find_row(const ClientId& id) override;
  std::optional<ClientStanding> find_standing(const ClientId& id) override;
  std::vector<ClientRow> list(const ClientId& after, int count) override;
  bool update(const Client& client) override;
  bool remove(const ClientId& id) override;
  void insert_secret(const ClientSecretRecord& secret) override;
  std::vector<ClientSecretRecord> secrets_of(const ClientId& id) override;
  bool remove_secret(const crypto::TokenId& id) override;
  void put_registration(const ClientId& id, const crypto::Digest& token_hash) override;
  void bound_registration(const ClientId& id) override;
  std::optional<RegistrationRecord> find_registration(const ClientId& id) override;
  std::int64_t count_registrations() override;
  bool use_assertion(const crypto::Digest& hash, base::UnixTime expires_at) override;
  int remove_assertions_expired(base::UnixTime end, int count) override;
  std::int64_t generation() override;

 private:
  std::map<ClientId, Client> clients_;
  std::map<crypto::TokenId, ClientSecretRecord> secrets_;
  std::map<ClientId, RegistrationRecord> registrations_;
  std::map<std::string, base::UnixTime> assertions_;  // by the bytes of the hash
  std::int64_t generation_ = 0;
};

class SqlClients final : public ClientTable {
 public:
  explicit SqlClients(store::Transaction& transaction) : transaction_(transaction) {}
  void insert(const Client& client) override;
  std::optional<ClientRow> find_row(const ClientId& id) override;
  std::optional<ClientStanding> find_standing(const ClientId& id) override;
  std::vector<ClientRow> list(const ClientId& after, int count) override;
  bool update(const Client& client) override;
  bool remove(const ClientId& id) override;
  void insert_secret(const ClientSecretRecord& secret) override;
  std::vector<ClientSecretRecord> secrets_of(const ClientId& id) override;
  bool remove_secret(const crypto::TokenId& id) override;
  void put_registration(const ClientId& id, const crypto::Digest& token_hash) override;
  void bound_registration(const ClientId& id) override;
  std::optional<RegistrationRecord> find_registration(const ClientId& id) override;
  std::int64_t count_registrations() override;
  bool use_assertion(const crypto::Digest& hash, base::UnixTime expires_at) override;
  int remove_assertions_expired(base::UnixTime end, int count) override;
  std::int64_t generation() override;

 private:
  store::Transaction& transaction_;
};

}  // namespace troupe::oauth
