// Observer: who watches every step that every core takes. The simulator's; a real system has none.
//
// A user message is told of only where its handling time is measured, and with an observer
// every message is measured: without one nothing on its way asks for one.
#pragma once

#include "troupe/actor/runtime/cell.h"
#include "troupe/actor/runtime/stats.h"

namespace troupe::actor {

/// What an actor does in one step: it handles a message of its own or the runtime's, goes on after an await, or runs
/// code that was not told: its start, a callback of a socket.
enum class StepKind : std::uint8_t { message, control, resumption, callback };

class Observer {
 public:
  virtual ~Observer() = default;
  /// The core has taken in what had come, and will run its actors in the order of its line.
  virtual void turn_begins(Core& core) = 0;
  /// `what` lives as long as the program; `sender` is zero where no actor sent it. Steps nest: a start within a
  /// handler.
  virtual void step_begins(Core& core, Cell& cell, StepKind kind, std::string_view what, ActorId sender) = 0;
  /// The step that began last ends. The cell's tenant may have ended with it.
  virtual void step_ends(Core& core, Cell& cell) = 0;
  /// A message that is not handled, as long as it still stands in its envelope.
  virtual void dropped(Core& core, const Envelope& envelope, Drop reason) = 0;
  /// Whether the ring between two cores takes a batch now; if not, it is offered again in a later turn.
  virtual bool takes_batch(Core& from, Core& to) = 0;
};

}  // namespace troupe::actor
