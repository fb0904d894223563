// Forward: cells that keep no message for themselves but pass each on at admission: pools and shards behind one
// address.
//
// The envelope itself is re-addressed, so nothing is copied and an answer goes straight to the
// asker. Such a cell has a mailbox of capacity 0, which sends admission into a branch that is
// unlikely for all others; what comes before it has started, or while it is restarted, is held
// and goes first: bounded, but for messages of class control. Its own business travels as control
// messages (control.h). A drain is meant for it and for all that it passes messages on to.
#pragma once

#include "troupe/actor/runtime/core.h"

namespace troupe::actor {

class Forwarder {
 public:
  /// Takes over a user message that was addressed to `cell`; on its core, inside whichever handler told it.
  virtual Sent forward(Core& core, Cell& cell, Envelope* envelope) = 0;
  /// The cell is to end (lifecycle::has_drained) once all that was told before has been handled. Perhaps not for the
  /// first time.
  virtual void drain(Core& core, Cell& cell) = 0;
  /// A child of the cell is up: it has started. Or it is not: it has failed, waits for its restart, starts again or
  /// ends.
  virtual void child_changed(Address /*child*/, bool /*up*/) noexcept {}

 protected:
  ~Forwarder() = default;
};

/// What a forwarding cell has among its extras.
struct Forwarding {
  Forwarder* to = nullptr;  // null: not started yet
  EnvelopeList held;
  std::uint32_t held_count = 0;
};

namespace forwarding {

inline constexpr std::uint32_t held_max = 1000;
/// Whether one more may be held where so many are.
inline bool may_hold(const Envelope& envelope, std::uint32_t held, std::uint32_t max = held_max) noexcept {
  return held < max || envelope.handler->message_class == MessageClass::control;
}

/// The mailbox of a cell that forwards.
inline constexpr MailboxOptions mailbox{.capacity = 0};
inline bool forwards(const Cell& cell) noexcept { return cell.capacity == 0; }

/// Admission to a cell that forwards.
Sent pass(Core& core, Cell& cell, Envelope* envelope);
/// From now on messages go through `to`; what was held goes first. Called as the cell's actor starts.
void open(Core& core, Cell& cell, Forwarder& to);
/// The cell's actor has started. Where it has opened nothing it is one without any room: of what was held it takes what
/// is control.
void has_started(Core& core, Cell& cell);
/// Messages are held again. Called before the forwarder dies.
void close(Cell& cell) noexcept;
/// Called as a forwarder that drains dies: where it is only restarted it ends all the same.
void stays_drained(Cell& cell);
/// Ends what is held, as mailbox::clear ends what is queued.
void clear(Core& core, Cell& cell, Drop reason) noexcept;
/// The forwarder of a cell that has one; null otherwise.
Forwarder* of(const Cell& cell) noexcept;

/// Sends the envelope to somebody else, on any core. `core` is the present one.
Sent pass_on(Core& core, Envelope* envelope, Address to);

}  // namespace forwarding
}  // namespace troupe::actor
