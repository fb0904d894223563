// A batch that fills in a mailbox: while nothing but its messages waits, the actor is held until it is full or due.
//
// On the cell's core. The messages stay in the queue; what is kept beside them is their number and a timer.
#pragma once

#include "troupe/actor/runtime/mailbox_queue.h"

namespace troupe::actor::mailbox {

/// A message has been put into the queue of a cell that has a ledger.
void batch_grows(Core& core, Cell& cell, const Envelope& newest);
/// Something has been taken out in front, or put there: looks whether a batch begins the queue and may still fill.
void consider_batch(Core& core, Cell& cell);
/// Lets the actor run, whatever has come.
void release_batch(Cell& cell) noexcept;

/// The rest of the batch that `first`, no more in the queue, begins.
EnvelopeList take_batch(Core& core, Cell& cell, Envelope* first);

}  // namespace troupe::actor::mailbox
