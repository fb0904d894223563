// InboxLedger: how many bytes of direct messages wait in the inboxes of one core, in all and by
// who has sent them.
//
// Each inbox enters what begins to wait in it, and takes out what was received or lost; so the
// sums are always those of what waits. Owned by the shard of the inboxes; one core.
#pragma once

#include <cstddef>
#include <map>

#include "troupe/realtime/protocol/ids.h"

namespace troupe::realtime {

class InboxLedger {
 public:
  void enter(const UserId& sender, std::size_t bytes);
  /// As it was entered.
  void take_out(const UserId& sender, std::size_t bytes);

  std::size_t bytes() const noexcept { return bytes_; }
  std::size_t bytes_of(const UserId& sender) const;

 private:
  std::map<UserId, std::size_t> by_sender_;  // of whom anything waits
  std::size_t bytes_ = 0;
};

}  // namespace troupe::realtime
