// The tables of users, of their browsers' sessions and of what they allowed to clients; their
// twin in memory, and the same rows by SQL. See clients.h for what a table promises.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "troupe/oauth/storage/records.h"
#include "troupe/store/transaction.h"

namespace troupe::oauth {

class UserTable {
 public:
  virtual ~UserTable() = default;
  virtual void insert(const UserRecord& user) = 0;
  virtual std::optional<UserRecord> find(const UserId& id) = 0;
  virtual std::optional<UserRecord> find_by_name(const UserName& name) = 0;
  /// All users by id, at most `count` of those behind `after`.
  virtual std::vector<UserRecord> list(const UserId& after, int count) = 0;
  virtual bool update(const UserRecord& user) = 0;
  virtual bool remove(const UserId& id) = 0;
  /// How the hashes of passwords begin, as far as their salts, which says what they cost: each beginning once. There
  /// are few, however many users there are. Reads all users.
  virtual std::vector<std::string> password_beginnings() = 0;

  virtual void insert_session(const SessionRecord& session) = 0;
  virtual std::optional<SessionRecord> find_session(const SessionId& id) = 0;
  virtual bool update_session(const SessionRecord& session) = 0;
  /// The sessions of a user that nobody has ended, oldest first. They may have expired.
  virtual std::vector<SessionRecord> open_sessions_of(const UserId& user) = 0;
  /// Of those, the ones beyond the `kept` newest; at most `count`.
  virtual std::vector<SessionRecord> open_sessions_beyond(const UserId& user, std::size_t kept, int count) = 0;
  /// Sessions that nobody has ended, though their end had come at `now` or nobody has used them since `unused_since`;
  /// at most `count` of each kind.
  virtual std::vector<SessionRecord> sessions_over(base::UnixTime now, base::UnixTime unused_since, int count) = 0;
  /// Removes the oldest sessions made before `end`, at most `count`; gives how many.
  virtual int remove_sessions_before(const crypto::TokenId& end, int count) = 0;

  virtual std::optional<ConsentRecord> find_consent(const UserId& user, const ClientId& client) = 0;
  /// Takes the place of what the user allowed this client before.
  virtual void put_consent(const ConsentRecord& consent) = 0;
  virtual bool remove_consent(const UserId& user, const ClientId& client) = 0;
  /// All that a user has allowed, by client.
  virtual std::vector<ConsentRecord> consents_of(const UserId& user) = 0;
  /// Removes what all users have allowed a client.
  virtual void remove_consents_of(const ClientId& client) = 0;
};

class MemoryUsers final : public UserTable {
 public:
  void insert(const UserRecord& user) override;
  std::optional<UserRecord> find(const UserId& id) override;
  std::optional<UserRecord> find_by_name(const UserName& name) override;
  std::vector<UserRecord> list(const UserId& after, int count) override;
  bool update(const UserRecord& user) override;
  bool remove(const UserId& id) override;
  std::vector<std::string> password_beginnings() override;
  void insert_session(const SessionRecord& session) override;
  std::optional<SessionRecord> find_session(const SessionId& id) override;
  bool update_session(const SessionRecord& session) override;
  std::vector<SessionRecord> open_sessions_of(const UserId& user) override;
  std::vector<SessionRecord> open_sessions_beyond(const UserId& user, std::size_t kept, int count) override;
  std::vector<SessionRecord> sessions_over(base::UnixTime now, base::UnixTime unused_since, int count) override;
  int remove_sessions_before(const crypto::TokenId& end, int count) override;
  std::optional<ConsentRecord> find_consent(const UserId& user, const ClientId& client) override;
  void put_consent(const ConsentRecord& consent) override;
  bool remove_consent(const UserId& user, const ClientId& client) override;
  std::vector<ConsentRecord> consents_of(const UserId& user) override;
  void remove_consents_of(const ClientId& client) override;

 private:
  bool has_other_of_name(const UserRecord& user) const;

  std::map<UserId, UserRecord> users_;
  std::map<crypto::TokenId, SessionRecord> sessions_;
  std::map<std::pair<UserId, ClientId>, ConsentRecord> consents_;
};

class SqlUsers final : public UserTable {
 public:
  explicit SqlUsers(store::Transaction& transaction) : transaction_(transaction) {}
  void insert(const UserRecord& user) override;
  std::optional<UserRecord> find(const UserId& id) override;
  std::optional<UserRecord> find_by_name(const UserName& name) override;
  std::vector<UserRecord> list(const UserId& after, int count) override;
  bool update(const UserRecord& user) override;
  bool remove(const UserId& id) override;
  std::vector<std::string> password_beginnings() override;
  void insert_session(const SessionRecord& session) override;
  std::optional<SessionRecord> find_session(const SessionId& id) override;
  bool update_session(const SessionRecord& session) override;
  std::vector<SessionRecord> open_sessions_of(const UserId& user) override;
  std::vector<SessionRecord> open_sessions_beyond(const UserId& user, std::size_t kept, int count) override;
  std::vector<SessionRecord> sessions_over(base::UnixTime now, base::UnixTime unused_since, int count) override;
  int remove_sessions_before(const crypto::TokenId& end, int count) override;
  std::optional<ConsentRecord> find_consent(const UserId& user, const ClientId& client) override;
  void put_consent(const ConsentRecord& consent) override;
  bool remove_consent(const UserId& user, const ClientId& client) override;
  std::vector<ConsentRecord> consents_of(const UserId& user) override;
  void remove_consents_of(const ClientId& client) override;

 private:
  store::Transaction& transaction_;
};

}  // namespace troupe::oauth
