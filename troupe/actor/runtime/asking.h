// Asking: what the runtime does about an ask that waits long, and about one that nobody waits for any more.
//
// Withdrawal: when an asker's frame dies or its deadline passes, the callee is told. A request
// that has not been handled never is. A coroutine handler is ended at its next await that
// allows it: sleep, ask, send and the next item of a stream do; `blocking`, `on_core`, a
// submitted write and whatever stands in the scope of a Shield (task.h) do not. Ending means
// what a restart does to a frame: it is destroyed where it waits, so its destructors run and
// nothing after the await does; the actor keeps its state and goes on. Asks of the ended
// handler are withdrawn in turn. A handler that took its `Reply` is not ended; its answer
// comes too late and is counted. The news travels behind the request, on the same way: where
// the request was passed on, by a pool, a lazy actor, shards, a delegating actor or a move from
// core to core, so is the news (trail.h), and what is held on that way is passed on no more.
//
// Deadlocks: an ask that has waited for 100 ms (or 32 ms more on a core that never rests), and again after twice that
// time, sends a probe to its callee. Where the request stands in the queue of an actor that is itself held by a wait (a
// handler that lets nothing in beside it and asks or sends, or messages parked outside a full mailbox), the probe goes
// on along that wait; where anything else holds the actor, or nothing, it ends. Each edge is looked at again where the
// probe passes, on the core that it belongs to. A probe that finds the ask it came from has found a cycle: among the
// requests that stand in a queue there, the one with the latest deadline (most often the one that closed the cycle) is
// taken out and fails with `not_executed` and the path; the others go on. What interleaves is never held.
//
// Whoever waits for the next item of a stream sends probes as an asker does, and is passed by them as one: the stream's
// handler is what it waits for, as long as nothing that it has yielded is still under way. Where a cycle consists of
// streams that have all begun, nothing can be taken out; then one of them breaks with the path, `unknown`.
#pragma once

#include "troupe/actor/runtime/core.h"

namespace troupe::actor::asking {

inline constexpr Duration probe_first = 100ms;  // long after nearly every answer, before a person loses patience

/// Tells the callee that nobody waits for this answer any more. On the asker's core; the callee may be gone.
void withdraw(Core& core, Address callee, ReplyTo reply) noexcept;

/// The request is passed on to another actor before it was answered; what concerns the ask goes there from now on.
/// False: nobody waits for the answer any more, so it must not be. True for what was told.
inline bool moved(Core& here, ReplyTo reply, Address to) {
  if (!reply) return true;
  if (reply.core() != here.index()) return here.trail().note(reply, to);
  AskState* ask = here.find_ask(reply);
  if (ask == nullptr) return false;
  ask->target = to;
  ask->entered = false;  // where it was handed on; now it waits again, and its outcome speaks of who has it next
  // Whoever asked thought that the request would stay here; now its end cannot be known for certain.
  if (to.cell->owner != &here) ask->remote = true;
  return true;
}

/// Whether it is known here that nobody waits for the answer any more.
inline bool has_ended(Core& here, ReplyTo reply) noexcept {
  if (!reply) return false;
  return reply.core() != here.index() ? here.trail().has_ended(reply) : here.find_ask(reply) == nullptr;
}

/// The ask, or the wait for a stream's next item, has lasted for a while: sends a probe, and sets the timer for the
/// next one or for the deadline.
void look_for_deadlock(AskState& ask) noexcept;

}  // namespace troupe::actor::asking
