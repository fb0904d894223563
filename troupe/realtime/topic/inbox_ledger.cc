// InboxLedger: a sender whose mail has all left is forgotten.
#include "troupe/realtime/topic/inbox_ledger.h"

#include "troupe/base/check.h"

namespace troupe::realtime {

void InboxLedger::enter(const UserId& sender, std::size_t bytes) {
  bytes_ += bytes;
  by_sender_[sender] += bytes;
}

void InboxLedger::take_out(const UserId& sender, std::size_t bytes) {
  const auto share = by_sender_.find(sender);
  INVARIANT(share != by_sender_.end() && share->second >= bytes, "what leaves an inbox was entered");
  bytes_ -= bytes;
  if ((share->second -= bytes) == 0) by_sender_.erase(share);
}

std::size_t InboxLedger::bytes_of(const UserId& sender) const {
  const auto share = by_sender_.find(sender);
  return share == by_sender_.end() ? 0 : share->second;
}

}  // namespace troupe::realtime
