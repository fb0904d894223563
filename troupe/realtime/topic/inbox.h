// Inbox: the direct messages of one user that nobody has yet said to have received.
//
// It is the topic `$user.<id>`: numbered within an epoch, kept until `received`, until
// their time to live or until there are too many. What was lost unread is remembered for as
// long again, so that the next connection is told. What waits is entered in a ledger, which
// outlives the inbox. Owned by the user's home router.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "troupe/base/clock.h"
#include "troupe/realtime/protocol/ids.h"
#include "troupe/realtime/protocol/message.h"
#include "troupe/realtime/topic/byte_ledger.h"
#include "troupe/realtime/topic/flat_queue.h"

namespace troupe::realtime {

struct InboxLimits {
  std::size_t count_max = 1000;
  std::size_t bytes_max = 1024 * 1024;
  base::Duration age_max = std::chrono::hours{24};  // a phone that was off over night
};

struct KeptDirect {
  Offset offset = 0;
  base::Instant kept_since;
  UserId sender;
  base::Bytes frame;
};

/// Messages that no connection will ever get, both ends included.
struct LostRange {
  Offset from = 0;
  Offset to = 0;
};

class Inbox {
 public:
  /// Its first message is the one after `top`.
  Inbox(Position top, InboxLimits limits, ByteLedger& ledger)
      : limits_(limits), top_(std::move(top)), ledger_(&ledger) {}

  const Position& top() const noexcept { return top_; }

  /// Appends the message that was encoded with the offset after the top.
  void append(base::Instant now, UserId sender, base::Bytes frame);
  /// The user has everything up to `offset`.
  void received(Offset offset);
  void expire(base::Instant now);
  /// When expire() has something to do next; `never` of one that is idle.
  base::Instant next_expiry() const noexcept;

  /// What was not received yet, oldest first.
  const FlatQueue<KeptDirect>& waiting() const noexcept { return waiting_; }
  /// What was dropped without having been received.
  const std::optional<LostRange>& lost() const noexcept { return lost_; }
  /// Nothing waits and nothing is to be told: the inbox can be forgotten once its user is gone.
  bool is_idle() const noexcept { return waiting_.empty() && !lost_; }

 private:
  KeptDirect take_oldest();
  void lose_oldest(base::Instant now);

  InboxLimits limits_;
  Position top_;
  FlatQueue<KeptDirect> waiting_;
  std::optional<LostRange> lost_;
  base::Instant lost_at_;  // the last of it
  std::size_t bytes_ = 0;
  ByteLedger* ledger_;
};

/// The topic that stands for a user's inbox.
inline std::string inbox_topic(const UserId& user) { return std::string{"$user."}.append(user.value().view()); }

}  // namespace troupe::realtime
