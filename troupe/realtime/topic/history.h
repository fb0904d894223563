// History: the numbered stream of one topic, and the newest part of it that is still kept.
//
// Offsets are given here, one after the other, and outlive the messages; the bounds by
// count, bytes and age only decide what can still be read. What is kept is contiguous up
// to the top, so recovery is complete or refused, never partial. Owned by one topic.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "troupe/base/clock.h"
#include "troupe/realtime/protocol/command.h"
#include "troupe/realtime/protocol/ids.h"
#include "troupe/realtime/protocol/message.h"
#include "troupe/realtime/topic/flat_queue.h"
#include "troupe/realtime/topic/routing_rule.h"

namespace troupe::realtime {

struct HistoryLimits {
  std::size_t count_max = 256;
  std::size_t bytes_max = 1024 * 1024;               // of finished frames; a topic of large messages keeps fewer
  base::Duration age_max = std::chrono::minutes{5};  // longer than most reconnects take
};

/// One message that is kept. `seq` is its number in the stream of the topic's home shard.
struct KeptMessage {
  Offset offset = 0;
  std::uint64_t seq = 0;
  base::UnixTime sent_at;
  base::Instant kept_since;
  EncodedMessage message;
  TargetScope target{};  // whoever lacks this scope must not see it
};

/// Some messages of one topic, oldest first and without a hole between them.
struct HistoryPage {
  std::vector<KeptMessage> items;
  bool complete = false;  // nothing that was asked for is missing, save by the limit
  Epoch epoch{};          // of all of them
};

class History {
 public:
  History(Epoch epoch, HistoryLimits limits) : limits_(limits), top_{std::move(epoch), 0} {}

  /// The position of the newest publication; offset 0 when there was none.
  const Position& top() const noexcept { return top_; }
  /// Whether the offsets of this epoch are spent, so that restart() must come before the next append().
  bool is_full() const noexcept { return top_.offset == offset_max; }
  /// Begins another epoch behind `offset` and keeps nothing of the old one.
  void restart(Epoch epoch, Offset offset = 0);

  /// Appends the message that was encoded with the offset after the top, and drops what exceeds the bounds.
  void append(std::uint64_t seq, base::UnixTime sent_at, base::Instant now, EncodedMessage message,
              TargetScope target = {});

  /// From now on these bounds hold.
  void use(HistoryLimits limits, base::Instant now);
  /// Drops what is too old.
  void expire(base::Instant now);
  /// Drops the oldest message; there must be one.
  void drop_oldest();

  /// The newest `limit` messages; complete when that is as many, or all there ever were.
  HistoryPage newest(std::size_t limit) const;
  /// Up to `limit` messages after `position`. Of another epoch, or after a hole: what is kept, incomplete.
  HistoryPage since(const Position& position, std::size_t limit) const;
  /// The newest `limit` messages before `position`.
  HistoryPage before(const Position& position, std::size_t limit) const;

  /// All messages after `position`, if every one of them is kept; nothing if one is gone, if the epoch is another
  /// or if `position` is beyond the top.
  std::optional<std::vector<KeptMessage>> recover(const Position& position) const;

  /// All that is kept and came after the shard's `seq`. Complete when dropped_seq() is not higher.
  std::vector<KeptMessage> after_seq(std::uint64_t seq) const;

  /// When the oldest message becomes too old; never when there is none.
  base::Instant expires_at() const noexcept;

  /// The offset of the oldest message kept; one past the top when there is none.
  Offset oldest() const noexcept { return top_.offset + 1 - kept_.size(); }
  std::size_t count() const noexcept { return kept_.size(); }
  std::size_t bytes() const noexcept { return bytes_; }
  /// The highest `seq` that was dropped; 0 when none was.
  std::uint64_t dropped_seq() const noexcept { return dropped_seq_; }
  /// The `seq` of the newest publication, kept or not; 0 when there was none.
  std::uint64_t last_seq() const noexcept { return last_seq_; }

 private:
  void keep_within_limits(base::Instant now);
  /// The messages from `first` to `last`, which must be kept.
  std::vector<KeptMessage> range(Offset first, Offset last) const;

  HistoryLimits limits_;
  Position top_;
  FlatQueue<KeptMessage> kept_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_seq_ = 0;  // this and the next never fall, though what is read from the disk has no `seq`
  std::uint64_t last_seq_ = 0;
};

}  // namespace troupe::realtime
