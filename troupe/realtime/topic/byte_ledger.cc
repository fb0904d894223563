// ByteLedger: a user of whom nothing is held any more is forgotten.
#include "troupe/realtime/topic/byte_ledger.h"

#include "troupe/base/check.h"

namespace troupe::realtime {

void ByteLedger::enter(const UserId& user, std::size_t bytes) {
  if (bytes == 0) return;
  bytes_ += bytes;
  by_user_[user] += bytes;
}

void ByteLedger::take_out(const UserId& user, std::size_t bytes) {
  if (bytes == 0) return;
  const auto share = by_user_.find(user);
  INVARIANT(share != by_user_.end() && share->second >= bytes, "what is taken out was entered");
  bytes_ -= bytes;
  if ((share->second -= bytes) == 0) by_user_.erase(share);
}

std::size_t ByteLedger::bytes_of(const UserId& user) const {
  const auto share = by_user_.find(user);
  return share == by_user_.end() ? 0 : share->second;
}

}  // namespace troupe::realtime
