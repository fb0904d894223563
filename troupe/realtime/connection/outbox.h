// Outbox: what waits for one connection's socket, in the order in which it came, and what
// happens when the reader is too slow.
//
// A message leaves before those of other topics and less priority, but never before one of its own
// topic nor before an answer. Messages are bounded by count and bytes; each that is dropped becomes part of a gap,
// which keeps its place in the order, is told even if no message follows, and never reaches over a
// frame that says where topics go on. Control frames are never dropped; the owner stops reading,
// and at last closes, when they pile up. Frames that were recovered from history are not dropped
// either. What a subscription spills is left to the owner. One core.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "troupe/realtime/connection/short_queue.h"
#include "troupe/realtime/protocol/answer.h"
#include "troupe/realtime/protocol/overflow.h"
#include "troupe/realtime/topic/local_frame.h"

namespace troupe::realtime {

class FrameCoding;
class JoinedFrames;
struct OutboxFigures;

struct OutboxLimits {
  std::size_t messages_max = 1000;
  std::size_t bytes_max = 1024 * 1024;          // one phone on a bad train: about a minute of chat
  std::size_t control_bytes_pause = 64 * 1024;  // more answers than this: read no further commands
  std::size_t control_bytes_max = 256 * 1024;   // more: the reader is gone
  std::size_t gaps_max = 256;                   // more topics than this with holes: it had better start again
  std::size_t recovered_max = 8 * 1000;         // recovered frames that may wait
  std::size_t recovered_bytes_max = 8 * 1024 * 1024;
  std::size_t recovered_bytes_of_all_max = 256 * 1024 * 1024;  // of all outboxes of a core: as much as history itself
  std::size_t spilled_max = 256;                               // topics whose position alone is kept: as many as gaps
  std::size_t spill_page_messages_max = 64;                    // read again at once, one page after the other
  std::size_t spill_page_bytes_max = 64 * 1024;  // a reader that is slow again holds up to so much of history
};

class Outbox {
 public:
  enum class Pushed : std::uint8_t {
    accepted,
    dropped,     // it became part of a gap
    spilled,     // there is no room, and its subscription will read it again: nothing was done
    over,        // it waits over the limits until there is room (`block`)
    disconnect,  // the subscription says that the connection must end (4003)
    overrun,     // more waits than the limits allow: it must end unless the socket takes some of it now
  };

  explicit Outbox(const OutboxLimits& limits) : limits_(&limits) {}  // the limits must outlive the outbox
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox();

  /// From now on frames are coded when they are gathered, and then not dropped any more; the limits go on counting
  /// what they were before. It must outlive the last gather(). Null: they leave as they are.
  void code_with(FrameCoding* coding) noexcept { coding_ = coding; }

  /// From now on what is dropped and told counts there, too. They must outlive the outbox.
  void count_in(OutboxFigures& figures) noexcept { figures_ = &figures; }

  /// A message of a subscription that wants `overflow`. Nearly all that is ever delivered passes here: it stands within
  /// the connection's deliver().
  [[gnu::always_inline]] Pushed push(const FrameRef& message, Overflow overflow) {
    auto bytes = message->bytes.size();
    if (overflow == Overflow::latest || !fits(bytes) || unequal_ > 0 || message->priority != Priority::normal)
        [[unlikely]]
      return push_with_care(message, overflow);
    queue_.push_back({message, Kind::message, overflow});
    ++message_count_;
    message_bytes_ += bytes;
    return after_push(Pushed::accepted);
  }
  /// An answer, or another frame that must arrive. `overrun` when too many wait before it.
  Pushed push_control(base::Bytes frame) { return push_answer(std::move(frame), Kind::control); }
  /// The same of one that says where topics go on: what is missing before it and behind it is not told as one.
  Pushed push_divider(base::Bytes frame) { return push_answer(std::move(frame), Kind::divider); }
  /// A message from history. Ask has_room_to_recover() before.
  void push_recovered(FrameRef message);
  bool has_room_to_recover(std::size_t messages, std::size_t bytes) const noexcept;
  /// Tells that a range of a topic is missing.
  Pushed push_gap(const Gap& gap);

  /// Fills `parts` with the next bytes to write, in order, and gives how many it used; 0 when nothing waits.
  /// The bytes stay valid until anything else is called. With `joined` they are one part where others write the same.
  std::size_t gather(std::span<iovec> parts, JoinedFrames* joined = nullptr);
  /// `bytes` of what gather() gave have been written.
  void written(std::size_t bytes) { is_all_that_waits(bytes) ? written_all() : written_in_part(bytes); }

  /// Takes messages that wait over the limits in, in order, as far as there is room by now, and adds to `settled` those
  /// that came in, or are written already.
  void admit(std::vector<FrameRef>& settled);
  /// Drops one that waits over the limits. False when it does not any more, or has begun to be written.
  bool give_up(const FrameRef& message);
  /// When the message that stands first was handed out, if it is one.
  base::Instant first_queued_at() const noexcept;

  bool empty() const noexcept { return queue_.empty(); }
  /// Nothing waits, and nothing is remembered: it is like a new one.
  bool is_fresh() const noexcept { return empty() && rare_ == nullptr; }
  /// Whether more answers or gaps wait than may.
  bool is_overrun() const noexcept { return control_load() > limits_->control_bytes_max || has_too_many_gaps(); }
  /// Messages that wait, without control frames.
  std::size_t messages() const noexcept { return message_count_; }
  std::size_t bytes() const noexcept { return message_bytes_; }
  /// Whether a message of so many bytes would find room now.
  bool has_room_for(std::size_t bytes) const noexcept { return fits(bytes); }
  /// Whether more than that part of the room is taken: 2 is a half.
  bool is_full_to(std::size_t part) const noexcept {
    return message_count_ > limits_->messages_max / part || message_bytes_ > limits_->bytes_max / part;
  }
  /// The same of the room over the limits, which is as large.
  bool is_over_by(std::size_t part) const noexcept {
    return rare().over.messages > limits_->messages_max / part || rare().over.bytes > limits_->bytes_max / part;
  }
  /// Messages that wait over the limits.
  std::size_t over() const noexcept { return rare().over.messages; }
  /// All messages that wait, over the limits and from history too.
  std::size_t waiting() const noexcept { return message_count_ + rare().over.messages + rare().recovered.messages; }
  std::size_t waiting_bytes() const noexcept { return message_bytes_ + rare().over.bytes + rare().recovered.bytes; }
  /// Frames from history that wait.
  std::size_t recovered() const noexcept { return rare().recovered.messages; }
  std::size_t control_bytes() const noexcept { return control_bytes_; }
  /// The same as held against the limit: a large frame counts for a part of it alone, so that one is never too much.
  std::size_t control_load() const noexcept {
    return rare_ == nullptr ? control_bytes_ : control_bytes_ - rare_->excess;
  }
  /// How many messages were dropped since it rested last.
  std::uint64_t dropped() const noexcept { return rare().dropped; }
  /// Gives back what memory it keeps for the next rush, if nothing waits.
  void rest() noexcept {
    queue_.rest();
    if (rare_ != nullptr && empty() && rare_->settled.empty()) rare_.reset();
  }

 private:
  enum class Kind : std::uint8_t {
    control,
    divider,  // a control frame over which no gap reaches
    message,
    over,  // a message that waits until it is one like others
    recovered,
    gap,   // the place of an open gap; it becomes a control frame when it is its turn
    gone,  // a message stood here that is told by a gap elsewhere
  };
  struct Waiting {
    FrameRef frame;  // of a gap, or of what is gone: none
    Kind kind = Kind::gone;
    Overflow overflow = Overflow::drop_oldest;
    bool sealed = false;  // it is as it leaves, and will leave
    Priority priority = Priority::normal;
    std::uint32_t number = 0;  // of a gap; of what is sealed: its bytes before, as the limits count them
  };
  struct OpenGap {
    std::uint32_t number;
    std::string topic;
    Position from;
    Offset to = 0;
    GapReason reason = GapReason::overflow;
  };
  struct Sum {
    std::size_t messages = 0;
    std::size_t bytes = 0;
  };
  /// What only the outbox of a slow reader needs, or of one that comes back.
  struct Rare {
    std::vector<OpenGap> gaps;
    std::vector<FrameRef> settled;  // were over the limits, and are written or about to be
    Sum over;                       // the limits
    Sum recovered;
    std::size_t excess = 0;  // what large control frames have more than they count for
    std::uint32_t next_gap = 0;
    std::uint32_t gone = 0;  // in the queue
    std::uint64_t dropped = 0;
  };

  const Rare& rare() const noexcept {
    static const Rare none;
    return rare_ == nullptr ? none : *rare_;
  }
  Rare& make_rare() {
    if (rare_ == nullptr) rare_ = std::make_unique<Rare>();
    return *rare_;
  }
  /// What waits are messages as they leave, from the first byte on, and no answers: others may write the same.
  bool is_shared() const noexcept {
    return rare_ == nullptr && coding_ == nullptr && first_written_ == 0 && control_bytes_ == 0;
  }
  bool has_too_many_gaps() const noexcept { return rare_ != nullptr && rare_->gaps.size() > limits_->gaps_max; }

  bool fits(std::size_t bytes) const noexcept {
    return message_count_ < limits_->messages_max && message_bytes_ + bytes <= limits_->bytes_max;
  }
  Pushed push_answer(base::Bytes frame, Kind kind);
  Pushed push_with_care(FrameRef message, Overflow overflow);
  void enqueue(FrameRef message, Overflow overflow, Kind kind);
  bool fits_over(std::size_t bytes) const noexcept;
  void take_in(Waiting& over);
  bool may_overtake(const LocalFrame& message, const Waiting& other) const noexcept;
  bool make_room(std::size_t bytes, Priority priority);
  void drop_oldest_until_fits(std::size_t bytes, Priority priority);
  bool may_drop(std::size_t index) const noexcept;
  void drop_earlier_of(const LocalFrame& message);
  void drop(std::size_t index, GapReason reason);
  void count_dropped(Overflow overflow, std::string_view topic);
  void add_gap(OpenGap gap, Waiting* place);
  bool is_divided(const OpenGap& gap, const Waiting* place) noexcept;
  Waiting* place_of(const OpenGap& gap) noexcept;
  void tell(Waiting& gap);
  void seal(Waiting& waiting);
  void forget_gone();
  // Only of what has no past: nothing is gone, was over the limits, comes from history, or is coded.
  bool is_all_that_waits(std::size_t bytes) const noexcept {
    return rare_ == nullptr && coding_ == nullptr && first_written_ + bytes == message_bytes_ + control_bytes_;
  }
  void written_all();
  void written_in_part(std::size_t bytes);
  Pushed after_push(Pushed result) const noexcept { return has_too_many_gaps() ? Pushed::overrun : result; }
  void count(const Waiting& waiting, std::ptrdiff_t sign);

  const OutboxLimits* limits_;
  FrameCoding* coding_ = nullptr;
  OutboxFigures* figures_ = nullptr;  // of all outboxes of the core
  ShortQueue<Waiting> queue_;         // in the order in which it leaves; what stands first is never gone
  std::size_t message_bytes_ = 0;
  std::uint32_t message_count_ = 0;
  std::uint32_t unequal_ = 0;      // messages of another priority than the normal one
  std::uint32_t kept_ = 0;         // so many at the front are known to be none that may be dropped
  std::uint32_t dividers_ = 0;     // in the queue
  std::size_t first_written_ = 0;  // bytes of the first that are written: it will be written to its end, come what may
  std::size_t control_bytes_ = 0;
  std::unique_ptr<Rare> rare_;  // null: it has been like any other so far
};

}  // namespace troupe::realtime
