// Mailbox: admission to a cell's queue, its exact bound, and what happens when it is full.
//
// The owner core alone gives out places, to messages or as credits to other cores (credits.h), so
// the bounds, by number and by bytes, are exact. Control messages are outside them. Nothing is dropped
// without being counted; a dropped ask is answered. Who waits for room is not overtaken by who comes later.
#pragma once

#include "troupe/actor/runtime/core.h"
#include "troupe/actor/runtime/credit_book.h"

namespace troupe::actor::mailbox {

/// Puts an envelope into the cell's queue, or does what its overflow policy says. On the cell's core.
Sent admit(Core& core, Cell& cell, Envelope* envelope);

/// Below which depth a normal message may be admitted without asking `admit`: what `Cell::quick` is while the actor
/// takes messages. It is 0 where each message must be looked at; whoever makes a cell refuse messages sets it to 0.
inline std::uint16_t quick_for(const Cell& cell) noexcept {
  if ((cell.held & (hold_ledger | hold_waiters)) != 0 || cell.state == CellState::stopping) return 0;
  const std::uint32_t own = cell.capacity - std::min(cell.capacity, cell.lent);
  return static_cast<std::uint16_t>(std::min<std::uint32_t>(own, UINT16_MAX));
}

/// Takes the next user message; the room that it leaves goes to the first who waits. The queue is not empty.
Envelope* take(Cell& cell) noexcept;

/// The same for a message whose place is reserved (credits.h).
void admit_on_credit(Core& core, Cell& cell, Envelope* envelope);

/// Somebody waits for credits, until a time; he is served in his turn.
void wait_for_credits(Core& core, Cell& cell, std::unique_ptr<credits::Claimant> claimant, std::uint32_t amount,
                      Instant until);

/// Parks a message at a desk of the core that sends it, or lets a `send` wait there; false: as many wait as may wait.
Sent park_at(credits::Desk& desk, Envelope* envelope);
bool wait_at(credits::Desk& desk, Envelope* envelope, SendState& state, Instant deadline);
/// The owner has told how long what is parked may wait.
void wait_no_longer_than(credits::Desk& desk, Duration length);
/// Its message goes on its way, or is dropped for a reason; who stands behind it is told.
void leave_desk(Waiter& waiter, std::optional<Drop> dropped, bool on_credit) noexcept;

/// The first who wait get the room that there is, in their order.
void admit_waiting(Core& core, Cell& cell);

/// Puts a message aside that the actor cannot handle yet; there is room (`may_stash`).
inline bool may_stash(Cell& cell) { return cell.more().stashed < cell.more().stash_max; }
void stash(Cell& cell, Envelope* envelope) noexcept;
/// Puts what was stashed back, in its order, in front of what is queued.
void unstash_all(Core& core, Cell& cell) noexcept;

/// The request that is to be answered to `reply`, in the queue or outside of it, where it has not been handled; null:
/// it is not here. The second takes it out, and it is the caller's, and so does the third where the actor has stashed
/// it.
Envelope* find(const Cell& cell, ReplyTo reply) noexcept;
Envelope* take_out(Core& core, Cell& cell, ReplyTo reply) noexcept;
Envelope* take_stashed(Cell& cell, ReplyTo reply) noexcept;

/// A `send` on the cell's own core. Nothing: it waits for room, and `state.result` holds when the activation is
/// resumed.
std::optional<Sent> send(Core& core, Cell& cell, Envelope* envelope, SendState& state, Instant deadline);
/// Takes a `send` back whose frame is destroyed.
void give_up(Waiter& waiter) noexcept;
/// Ends what waits, at the mailbox or at a desk: its time is over, or nobody wants it any more.
void end_wait(Waiter& waiter, Drop reason, Sent result) noexcept;

/// Queues a control message behind all that is queued and all that waits outside for room.
void append_last(Core& core, Cell& cell, Envelope* envelope);

/// Takes in everybody who waits outside for room, whatever the bound.
void admit_all(Core& core, Cell& cell);

/// Empties the queue, the stash and everything that waits outside: asks get `not_executed`, sends get `dead`.
void clear(Core& core, Cell& cell, Drop reason) noexcept;

}  // namespace troupe::actor::mailbox
