// Outbox: what waits for one connection's socket, in the order in which it came, and what
// happens when the reader is too slow.
//
// Messages are bounded by count and bytes; each that is dropped becomes part of a gap,
// which keeps its place in the order and is told even if no message follows. Control
// frames are never dropped; the owner stops reading, and at last closes, when they pile
// up. Frames that were recovered from history are not dropped either. One core.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "troupe/realtime/protocol/answer.h"
#include "troupe/realtime/protocol/overflow.h"
#include "troupe/realtime/topic/flat_queue.h"
#include "troupe/realtime/topic/local_frame.h"

namespace troupe::realtime {

struct OutboxLimits {
  std::size_t messages_max = 1000;
  std::size_t bytes_max = 1024 * 1024;          // one phone on a bad train: about a minute of chat
  std::size_t control_bytes_pause = 64 * 1024;  // more answers than this: read no further commands
  std::size_t control_bytes_max = 256 * 1024;   // more: the reader is gone
  std::size_t gaps_max = 256;                   // more topics than this with holes: it had better start again
  std::size_t recovered_max = 8 * 1000;         // recovered frames that may wait
  std::size_t recovered_bytes_max = 8 * 1024 * 1024;
};

class Outbox {
 public:
  enum class Pushed : std::uint8_t {
    accepted,
    dropped,     // it became part of a gap
    disconnect,  // the subscription or the limits say that the connection must end (4003)
  };

  explicit Outbox(const OutboxLimits& limits) : limits_(&limits) {}  // the limits must outlive the outbox

  /// A message of a subscription that wants `overflow`.
  Pushed push(FrameRef message, Overflow overflow);
  /// An answer, or another frame that must arrive. `disconnect` when there are too many.
  Pushed push_control(base::Bytes frame);
  /// A message from history. Ask has_room_to_recover() before.
  void push_recovered(FrameRef message);
  bool has_room_to_recover(std::size_t messages, std::size_t bytes) const noexcept;
  /// Tells that a range of a topic is missing.
  Pushed push_gap(const Gap& gap);

  /// Fills `parts` with the next bytes to write, in order, and gives how many it used; 0 when nothing waits.
  /// The bytes stay valid until written() or the end of the outbox.
  std::size_t gather(std::span<iovec> parts);
  /// `bytes` of what gather() gave have been written.
  void written(std::size_t bytes);

  bool empty() const noexcept { return in_flight_.empty() && control_.empty() && messages_.empty() && gaps_.empty(); }
  /// Messages that wait, without control frames.
  std::size_t messages() const noexcept { return message_count_; }
  std::size_t bytes() const noexcept { return message_bytes_; }
  std::size_t control_bytes() const noexcept { return control_bytes_; }
  /// How many messages were dropped so far.
  std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  enum class Kind : std::uint8_t { control, message, recovered };
  using Sequence = std::uint64_t;
  struct Waiting {
    Sequence sequence = 0;
    FrameRef frame;
    Kind kind = Kind::control;
    Overflow overflow = Overflow::drop_oldest;
  };
  struct OpenGap {
    Sequence sequence = 0;  // of the first message in it
    std::string topic;
    Position from;
    Offset to = 0;
    GapReason reason = GapReason::overflow;
  };

  bool fits(std::size_t bytes) const noexcept;
  bool make_room(std::size_t bytes);
  void drop_earlier_of(const LocalFrame& message);
  void drop(std::size_t index, GapReason reason);
  void add_gap(OpenGap gap);
  Pushed after_push(Pushed result) const noexcept;
  bool take_next();
  void count(const Waiting& waiting, std::ptrdiff_t sign) noexcept;

  const OutboxLimits* limits_;
  Sequence next_sequence_ = 0;
  FlatQueue<Waiting> control_;
  FlatQueue<Waiting> messages_;    // recovered ones too
  FlatQueue<OpenGap> gaps_;        // by sequence
  FlatQueue<Waiting> in_flight_;   // given to gather(): they will be written, come what may
  std::size_t first_written_ = 0;  // bytes of in_flight_.front() that are written
  std::size_t message_count_ = 0;
  std::size_t message_bytes_ = 0;
  std::size_t recovered_count_ = 0;
  std::size_t recovered_bytes_ = 0;
  std::size_t control_bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace troupe::realtime
