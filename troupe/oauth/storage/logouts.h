// The table of notices: which client is still to be told that a session has ended (OpenID Connect Back-Channel Logout);
// its twin in memory, and the same rows by SQL. See clients.h for what a table promises.
//
// A notice is written in the transaction that ends the session, so that no crash loses one, and removed when its client
// has been told or is given up.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "troupe/oauth/storage/records.h"
#include "troupe/store/transaction.h"

namespace troupe::oauth {

inline constexpr std::size_t logouts_busy_max = 4;  // clients of due()

class LogoutTable {
 public:
  virtual ~LogoutTable() = default;
  /// Adds a notice behind all others; its number is the table's to give.
  virtual void append(const LogoutNotice& notice) = 0;
  /// Notices whose time has come, the longest due first, but for those of `busy` clients, of which there are few; at
  /// most `count`.
  virtual std::vector<LogoutNotice> due(base::UnixTime now, int count, const std::set<ClientId>& busy = {}) = 0;
  /// Notes that telling failed once more, and when to try again; whether the notice is still there.
  virtual bool postpone(std::int64_t number, int attempts, base::UnixTime next_at) = 0;
  virtual bool remove(std::int64_t number) = 0;
};

class MemoryLogouts final : public LogoutTable {
 public:
  void append(const LogoutNotice& notice) override;
  std::vector<LogoutNotice> due(base::UnixTime now, int count, const std::set<ClientId>& busy) override;
  bool postpone(std::int64_t number, int attempts, base::UnixTime next_at) override;
  bool remove(std::int64_t number) override;

 private:
  std::map<std::int64_t, LogoutNotice> notices_;
  std::int64_t last_ = 0;
};

class SqlLogouts final : public LogoutTable {
 public:
  explicit SqlLogouts(store::Transaction& transaction) : transaction_(transaction) {}
  void append(const LogoutNotice& notice) override;
  std::vector<LogoutNotice> due(base::UnixTime now, int count, const std::set<ClientId>& busy) override;
  bool postpone(std::int64_t number, int attempts, base::UnixTime next_at) override;
  bool remove(std::int64_t number) override;

 private:
  store::Transaction& transaction_;
};

}  // namespace troupe::oauth
