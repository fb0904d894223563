// Trail: where this core has passed on the asks of other cores, so that who withdraws an ask or looks for a deadlock
// finds it.
//
// An asker knows its first callee alone: what a pool, a lazy actor, shards or a delegating actor
// on another core did with the request, the core where they did it remembers here. An ask has
// one step on each core, its latest, under the number of its slot; the slot's next ask takes its
// place. So the trail is as long as the most asks that other cores had under way at once,
// whatever becomes of them, and nothing is ever sent to keep it true. A withdrawal turns the step
// that it follows into its end: from there on the request is passed on no further, also where it
// was only held until now. Owned by its core, used on its thread.
#pragma once

#include <vector>

#include "troupe/actor/runtime/envelope.h"

namespace troupe::actor {

class Trail {
 public:
  /// The request is about to be passed on to `to`. False: nobody waits for it any more, so it must not be.
  bool note(ReplyTo ask, Address to);
  /// Where the request was passed on to; null: nowhere from here, or nobody waits for it any more.
  Address find(ReplyTo ask) const noexcept;
  /// The same, and from now on the request is passed on no more.
  Address end(ReplyTo ask);
  /// Whether the ask is known here to be over.
  bool has_ended(ReplyTo ask) const noexcept;
  /// How many steps there is room for.
  std::size_t size() const noexcept;

 private:
  struct Step {
    ReplyTo ask;  // empty: none yet
    Address to;   // null: the ask was withdrawn
  };
  Step& step_of(ReplyTo ask);
  const Step* known(ReplyTo ask) const noexcept;

  std::vector<std::vector<Step>> steps_;  // by the asking core, then by the slot there
};

}  // namespace troupe::actor
