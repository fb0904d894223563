// Migrate: an actor changes its core, with everything it has: object, mailbox, timers, watchers, place in the tree.
//
// Only actors whose class says so may go (`static constexpr bool migrates = true`): such an
// object keeps nothing of its core, no Context& and no socket. It stays where it is in memory;
// what moves is who runs it. It goes between two messages, with no suspended handler, no child
// and neither end of a stream: those stay on the core that the stream was opened on, and keep
// their actor there until it is read to its end or closed. Its old address passes on what still
// comes to it, behind what has left before. Who watches it is told of its end under the address by
// which he knows it. Its topics reach it from the core where it subscribed (topic_directory.h).
#pragma once

#include <deque>
#include <map>

#include "troupe/actor/runtime/core.h"

namespace troupe::actor {

/// Where the actors that left a core went to. Bounded: who still uses an address that is forgotten reaches nobody.
class Departed {
 public:
  void add(ActorId left, Address now);
  /// Null: nobody of that number has left lately.
  Address find(ActorId left) const noexcept;

 private:
  static constexpr std::size_t entries_max = 16 * 1024;
  std::map<ActorId, Address> now_;
  std::deque<ActorId> order_;
};

namespace migration {

/// Whether it may go at once; on its core.
bool may_go(const Cell& cell) noexcept;
/// Whether it may not go however long one waits: it has children.
bool is_bound(const Cell& cell) noexcept;
/// Sends it to another core, to be a child of `parent` there. Its address from now on. Its parent here forgets it.
Address go(Core& core, Cell& cell, Core& to, Address parent, const MailboxOptions& options);

}  // namespace migration
}  // namespace troupe::actor
