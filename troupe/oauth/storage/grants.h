// The tables of codes, families, tokens and endings, their twin in memory, and the same rows by SQL.
// See clients.h for what a table promises.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "troupe/oauth/storage/records.h"
#include "troupe/store/transaction.h"

namespace troupe::oauth {

class GrantTable {
 public:
  virtual ~GrantTable() = default;
  virtual void insert_code(const AuthCode& code) = 0;
  virtual std::optional<AuthCode> find_code(const crypto::TokenId& id) = 0;
  /// Marks a code as used; whether it was still unused. The one place where a code is spent.
  virtual bool use_code(const crypto::TokenId& id) = 0;
  /// Spends the codes that a user's consent gave to a client, made at `since` or later; gives how many.
  virtual int use_codes_of(const UserId& user, const ClientId& client, base::UnixTime since) = 0;
  /// The same of all that a client was given.
  virtual int use_codes_of(const ClientId& client, base::UnixTime since) = 0;

  virtual void insert_family(const FamilyRecord& family) = 0;
  virtual std::optional<FamilyRecord> find_family(const FamilyId& id) = 0;
  /// Ends a family and everything in it; whether it was still alive. The first reason stays.
  virtual bool revoke_family(const FamilyId& id, base::UnixTime now, std::string_view because) = 0;

  /// The families that stem from a session, or from all sessions of a user, whatever has become of them; oldest first,
  /// at most `count` of those behind `after`. A signed-in browser opens as many as it likes.
  virtual std::vector<FamilyRecord> families_of(const SessionId& session, const crypto::TokenId& after, int count) = 0;
  virtual std::vector<FamilyRecord> families_of(const UserId& user, const crypto::TokenId& after, int count) = 0;
  /// Shows `visit` each of them, and holds few at a time.
  template <class Owner, class Visit>
  void each_family_of(const Owner& owner, Visit visit);

  /// Families by id, at most `count` of those behind `after`, whatever has become of them.
  virtual std::vector<FamilyRecord> families_after(const crypto::TokenId& after, int count) = 0;

  virtual void insert_refresh(const RefreshRecord& token) = 0;
  virtual std::optional<RefreshRecord> find_refresh(const crypto::TokenId& id) = 0;
  virtual bool update_refresh(const RefreshRecord& token) = 0;
  /// Refresh tokens by id, as families_after.
  virtual std::vector<RefreshRecord> refresh_after(const crypto::TokenId& after, int count) = 0;

  virtual void insert_access(const AccessRecord& token) = 0;
  virtual std::optional<AccessRecord> find_access(const crypto::TokenId& id) = 0;
  /// Whether there was such a token and it was not revoked yet.
  virtual bool revoke_access(const crypto::TokenId& id, base::UnixTime now) = 0;
  /// Access tokens by id, as families_after.
  virtual std::vector<AccessRecord> access_after(const crypto::TokenId& after, int count) = 0;

  /// Notes that everything of a client, user or family has ended, or a token, behind all endings before it.
  virtual void append_ending(const Ending& ending) = 0;
  /// The endings whose number is above `number`, which begins at 1; at most `count`, in their order.
  virtual std::vector<EndingRecord> endings_after(std::int64_t number, int count) = 0;

  // Removal of what can matter to nobody any more: the oldest rows made before `end`, at most `count`
  // of them; gives how many. Ids order by time, so this is a range at the start of the table.
  virtual int remove_codes_before(const crypto::TokenId& end, int count) = 0;
  virtual int remove_families_before(const crypto::TokenId& end, int count) = 0;
  virtual int remove_refresh_before(const crypto::TokenId& end, int count) = 0;
  /// Of the oldest `4 * count` tokens those that had expired at `end`. A client's tokens may live longer than those
  /// that others got after them: so many of them hold up the rest, until they expire too.
  virtual int remove_access_expired(base::UnixTime end, int count) = 0;
  virtual int remove_endings_before(base::UnixTime end, int count) = 0;
};

template <class Owner, class Visit>
void GrantTable::each_family_of(const Owner& owner, Visit visit) {
  constexpr int page_size = 500;
  crypto::TokenId last;
  for (auto page = families_of(owner, last, page_size); !page.empty(); page = families_of(owner, last, page_size)) {
    last = crypto::TokenId::parse(page.back().grant.family.value()).value();
    for (const FamilyRecord& family : page) visit(family);
  }
}

class MemoryGrants final : public GrantTable {
 public:
  void insert_code(const AuthCode& code) override;
  std::optional<AuthCode> find_code(const crypto::TokenId& id) override;
  bool use_code(const crypto::TokenId& id) override;
  int use_codes_of(const UserId& user, const ClientId& client, base::UnixTime since) override;
  int use_codes_of(const ClientId& client, base::UnixTime since) override;
  void insert_family(const FamilyRecord& family) override;
  std::optional<FamilyRecord> find_family(const FamilyId& id) override;
  bool revoke_family(const FamilyId& id, base::UnixTime now, std::string_view because) override;
  std::vector<FamilyRecord> families_of(const SessionId& session, const crypto::TokenId& after, int count) override;
  std::vector<FamilyRecord> families_of(const UserId& user, const crypto::TokenId& after, int count) override;
  std::vector<FamilyRecord> families_after(const crypto::TokenId& after, int count) override;
  void insert_refresh(const RefreshRecord& token) override;
  std::optional<RefreshRecord> find_refresh(const crypto::TokenId& id) override;
  bool update_refresh(const RefreshRecord& token) override;
  std::vector<RefreshRecord> refresh_after(const crypto::TokenId& after, int count) override;
  void insert_access(const AccessRecord& token) override;
  std::optional<AccessRecord> find_access(const crypto::TokenId& id) override;
  bool revoke_access(const crypto::TokenId& id, base::UnixTime now) override;
  std::vector<AccessRecord> access_after(const crypto::TokenId& after, int count) override;
  void append_ending(const Ending& ending) override;
  std::vector<EndingRecord> endings_after(std::int64_t number, int count) override;
  int remove_codes_before(const crypto::TokenId& end, int count) override;
  int remove_families_before(const crypto::TokenId& end, int count) override;
  int remove_refresh_before(const crypto::TokenId& end, int count) override;
  int remove_access_expired(base::UnixTime end, int count) override;
  int remove_endings_before(base::UnixTime end, int count) override;

 private:
  std::map<crypto::TokenId, AuthCode> codes_;
  std::map<crypto::TokenId, FamilyRecord> families_;
  std::map<crypto::TokenId, RefreshRecord> refresh_;
  std::map<crypto::TokenId, AccessRecord> access_;
  std::map<std::int64_t, Ending> endings_;
  std::int64_t last_ending_ = 0;
};

class SqlGrants final : public GrantTable {
 public:
  explicit SqlGrants(store::Transaction& transaction) : transaction_(transaction) {}
  void insert_code(const AuthCode& code) override;
  std::optional<AuthCode> find_code(const crypto::TokenId& id) override;
  bool use_code(const crypto::TokenId& id) override;
  int use_codes_of(const UserId& user, const ClientId& client, base::UnixTime since) override;
  int use_codes_of(const ClientId& client, base::UnixTime since) override;
  void insert_family(const FamilyRecord& family) override;
  std::optional<FamilyRecord> find_family(const FamilyId& id) override;
  bool revoke_family(const FamilyId& id, base::UnixTime now, std::string_view because) override;
  std::vector<FamilyRecord> families_of(const SessionId& session, const crypto::TokenId& after, int count) override;
  std::vector<FamilyRecord> families_of(const UserId& user, const crypto::TokenId& after, int count) override;
  std::vector<FamilyRecord> families_after(const crypto::TokenId& after, int count) override;
  void insert_refresh(const RefreshRecord& token) override;
  std::optional<RefreshRecord> find_refresh(const crypto::TokenId& id) override;
  bool update_refresh(const RefreshRecord& token) override;
  std::vector<RefreshRecord> refresh_after(const crypto::TokenId& after, int count) override;
  void insert_access(const AccessRecord& token) override;
  std::optional<AccessRecord> find_access(const crypto::TokenId& id) override;
  bool revoke_access(const crypto::TokenId& id, base::UnixTime now) override;
  std::vector<AccessRecord> access_after(const crypto::TokenId& after, int count) override;
  void append_ending(const Ending& ending) override;
  std::vector<EndingRecord> endings_after(std::int64_t number, int count) override;
  int remove_codes_before(const crypto::TokenId& end, int count) override;
  int remove_families_before(const crypto::TokenId& end, int count) override;
  int remove_refresh_before(const crypto::TokenId& end, int count) override;
  int remove_access_expired(base::UnixTime end, int count) override;
  int remove_endings_before(base::UnixTime end, int count) override;

 private:
  store::Transaction& transaction_;
};

}  // namespace troupe::oauth
