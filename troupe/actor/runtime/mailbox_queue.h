// The queue of a mailbox: in which order messages stand, what they weigh, and which of them goes first when one must.
//
// On the cell's core. Each way in and out keeps the figures of the cell and of its ledger, if it has one.
#pragma once

#include "troupe/actor/runtime/core.h"

namespace troupe::actor::mailbox {

inline Ledger* ledger_of(Cell& cell) noexcept {
  return (cell.held & hold_ledger) != 0 ? cell.extras->ledger.get() : nullptr;
}
inline std::size_t bytes_of(const Envelope& envelope) noexcept {
  return envelope.handler->bytes != nullptr ? envelope.handler->bytes(envelope) : 0;
}

/// Gives the cell a ledger, with what is queued already in it.
Ledger& open_ledger(Cell& cell);

/// Whether one more message stays within the bounds; whether it would in an empty mailbox.
bool fits(Cell& cell, const Envelope& envelope) noexcept;
bool ever_fits(Cell& cell, const Envelope& envelope) noexcept;

/// To the end of its priority, or to the front of it.
void push(Cell& cell, Envelope* envelope) noexcept;
void push_front(Cell& cell, Envelope* envelope) noexcept;
/// The next to be handled. The queue is not empty.
Envelope* pop(Cell& cell) noexcept;
/// Takes a message out of the middle; `before` stands ahead of it, null for the first.
Envelope* remove(Cell& cell, Envelope* before, Envelope* at) noexcept;

/// Takes out the oldest sheddable message of the lowest priority that has one, else the oldest normal one of the
/// lowest; control stays. Null: nothing else is there.
Envelope* evict(Cell& cell) noexcept;

}  // namespace troupe::actor::mailbox
