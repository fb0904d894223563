// DeadLetter: the notice of a message that no handler will see: who sent what to whom, and why it ended.
//
// Each drop is counted; who listens (Host::hear_dead_letters) is told of them too, at the end of
// the turn, so that a listener may send messages whatever the core was doing. A core tells of
// 1000 a second at most and counts the rest, so a storm of drops is not doubled by its notices.
#pragma once

#include <span>

#include "troupe/actor/runtime/envelope.h"
#include "troupe/actor/runtime/stats.h"

namespace troupe::actor {

struct DeadLetter {
  /// Notices go first when a mailbox is full, and a notice that is dropped has none of its own. Whoever wraps it in a
  /// message of another type says both of that type too.
  static constexpr auto message_class = MessageClass::sheddable;
  static constexpr bool unmourned = true;

  ActorId sender;               // 0: a foreign thread, the runtime, or unknown (a late reply)
  ActorId target;               // 0: unknown
  std::string_view actor_type;  // of the target; "(gone)" where nobody knows. Static, like the next
  std::string_view message;     // its type
  Drop reason{};
};

/// Called on any core with what was dropped there. It must not keep the span.
using DeadLetterListener = void (*)(Core& here, std::span<const DeadLetter> letters);

}  // namespace troupe::actor
