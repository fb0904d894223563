// The table of the audit trail, its twin in memory, and the same rows by SQL. See clients.h for
// what a table promises, and audit_chain.h for how its rows hang together.
//
// Rows are only ever appended, in the transaction of the deed that they tell of. One writer at a
// time is in the database, so the newest row is the one to go on from. Their ids strictly rise in
// the order of the chain: an id that would not is replaced by the next one that does.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/oauth/storage/audit_chain.h"
#include "troupe/store/transaction.h"

namespace troupe::oauth {

/// Which events are wanted: those that fit all that is named.
struct AuditFilter {
  std::optional<crypto::TokenId> from{};    // of this id, or later
  std::optional<crypto::TokenId> before{};  // earlier than this id
  std::optional<std::string> kind{};
  std::optional<std::string> user{};  // as events have it: a hash
  std::optional<ClientId> client{};
  std::optional<FamilyId> family{};
  std::optional<crypto::TokenId> token{};
  std::optional<std::string> request{};
};

class AuditTable {
 public:
  virtual ~AuditTable() = default;

  /// Puts the event behind all that there are, and closes their segment where it is over.
  void append(AuditEvent event);

  /// At most `count` events that fit, from the newest backwards.
  virtual std::vector<AuditEvent> matching(const AuditFilter& filter, int count) = 0;
  /// The same of all before `before`; nothing: from the newest of all.
  std::vector<AuditEvent> events(const std::optional<crypto::TokenId>& before, int count) {
    return matching({.before = before}, count);
  }
  /// At most `count` of what stands behind that id, in the order of the chain; nothing: from the first.
  std::vector<AuditReading> readings_after(const std::optional<crypto::TokenId>& id, int count);
  /// At most `count` rows of ours behind that id; whoever goes along with the trail passes over all else.
  AuditPage page_after(const std::optional<crypto::TokenId>& id, int count);
  virtual std::optional<AuditHead> head() = 0;

  /// At most `count` checkpoints behind that of `segment`, in their order.
  virtual std::vector<AuditCheckpoint> checkpoints_after(std::int64_t segment, int count) = 0;
  virtual std::optional<AuditCheckpoint> newest_checkpoint() = 0;

  /// The last event that a reader of this name has dealt with; nothing for one who is new.
  virtual std::optional<crypto::TokenId> reader(std::string_view name) = 0;
  virtual void put_reader(std::string_view name, const crypto::TokenId& last) = 0;

  /// Lets the rows of the oldest segment go that still has them, if it was over before `end`: they may be removed from
  /// now on. Gives the segment's number.
  std::optional<std::int64_t> release_segment_before(base::UnixTime end);
  /// Removes at most `count` of the rows that may go, the oldest first: those of segments that were let go, and what is
  /// older than the chain and than `end`. Gives how many.
  int remove_released(base::UnixTime end, int count);

 protected:
  /// See readings_after; the id is that of any reading, of a stranger, too.
  virtual std::vector<AuditReading> readings_behind(std::optional<std::string_view> id, int count) = 0;
  virtual void put(const AuditRow& row) = 0;
  virtual void put(const AuditCheckpoint& checkpoint) = 0;
  virtual std::optional<AuditCheckpoint> oldest_kept_checkpoint() = 0;
  virtual std::optional<AuditCheckpoint> newest_removed_checkpoint() = 0;
  virtual void mark_removed(std::int64_t segment) = 0;
  /// Removes the oldest rows up to `last`, at most `count`, and notes in the checkpoint of the newest of them how far
  /// it has come: so what is left is verified from its first row on.
  virtual int remove_rows_until(const crypto::TokenId& last, int count) = 0;
  /// Of the `count` oldest rows before `end` those that are older than the chain.
  virtual int remove_unchained_before(const crypto::TokenId& end, int count) = 0;
};

class MemoryAudit final : public AuditTable {
 public:
  std::vector<AuditEvent> matching(const AuditFilter& filter, int count) override;
  std::optional<AuditHead> head() override;
  std::vector<AuditCheckpoint> checkpoints_after(std::int64_t segment, int count) override;
  std::optional<AuditCheckpoint> newest_checkpoint() override;
  std::optional<crypto::TokenId> reader(std::string_view name) override;
  void put_reader(std::string_view name, const crypto::TokenId& last) override;

 protected:
  std::vector<AuditReading> readings_behind(std::optional<std::string_view> id, int count) override;
  void put(const AuditRow& row) override;
  void put(const AuditCheckpoint& checkpoint) override;
  std::optional<AuditCheckpoint> oldest_kept_checkpoint() override;
  std::optional<AuditCheckpoint> newest_removed_checkpoint() override;
  void mark_removed(std::int64_t segment) override;
  int remove_rows_until(const crypto::TokenId& last, int count) override;
  int remove_unchained_before(const crypto::TokenId& end, int count) override;

 private:
  std::map<crypto::TokenId, AuditRow> rows_;
  std::map<std::int64_t, AuditCheckpoint> checkpoints_;
  std::map<std::string, crypto::TokenId, std::less<>> readers_;
};

class SqlAudit final : public AuditTable {
 public:
  explicit SqlAudit(store::Transaction& transaction) : transaction_(transaction) {}
  std::vector<AuditEvent> matching(const AuditFilter& filter, int count) override;
  std::optional<AuditHead> head() override;
  std::vector<AuditCheckpoint> checkpoints_after(std::int64_t segment, int count) override;
  std::optional<AuditCheckpoint> newest_checkpoint() override;
  std::optional<crypto::TokenId> reader(std::string_view name) override;
  void put_reader(std::string_view name, const crypto::TokenId& last) override;

 protected:
  std::vector<AuditReading> readings_behind(std::optional<std::string_view> id, int count) override;
  void put(const AuditRow& row) override;
  void put(const AuditCheckpoint& checkpoint) override;
  std::optional<AuditCheckpoint> oldest_kept_checkpoint() override;
  std::optional<AuditCheckpoint> newest_removed_checkpoint() override;
  void mark_removed(std::int64_t segment) override;
  int remove_rows_until(const crypto::TokenId& last, int count) override;
  int remove_unchained_before(const crypto::TokenId& end, int count) override;

 private:
  store::Transaction& transaction_;
  std::optional<AuditHead> head_;  // once it is read, or put: nobody else writes in this transaction
};

}  // namespace troupe::oauth
