// ByteLedger: how many bytes of one kind are held on one core, in all and by the user on whose account they are.
//
// Who holds them enters them and takes them out again; so the sums are always those of what is held. Owned by the shard
// of the inboxes for direct messages that wait, by the site of connections for pages of history; one core.
#pragma once

#include <cstddef>
#include <map>
#include <utility>

#include "troupe/realtime/protocol/ids.h"

namespace troupe::realtime {

class ByteLedger {
 public:
  void enter(const UserId& user, std::size_t bytes);
  /// As it was entered.
  void take_out(const UserId& user, std::size_t bytes);

  std::size_t bytes() const noexcept { return bytes_; }
  std::size_t bytes_of(const UserId& user) const;

 private:
  std::map<UserId, std::size_t> by_user_;  // of whom anything is held
  std::size_t bytes_ = 0;
};

/// Bytes that are in a ledger for as long as this is there; the ledger must be there as long.
class EnteredBytes {
 public:
  EnteredBytes(ByteLedger& ledger, UserId user, std::size_t bytes)
      : ledger_(&ledger), user_(std::move(user)), bytes_(bytes) {
    ledger.enter(user_, bytes);
  }
  EnteredBytes(EnteredBytes&& other) noexcept
      : ledger_(other.ledger_), user_(std::move(other.user_)), bytes_(std::exchange(other.bytes_, 0)) {}
  EnteredBytes& operator=(EnteredBytes&& other) noexcept {
    std::swap(ledger_, other.ledger_);
    std::swap(user_, other.user_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~EnteredBytes() { ledger_->take_out(user_, bytes_); }

 private:
  ByteLedger* ledger_;
  UserId user_;
  std::size_t bytes_;
};

}  // namespace troupe::realtime
