// Lifecycle: how an actor starts, fails, is restarted and stops, and how its parent decides.
//
// All functions run on the core of the cell they are given; what concerns a cell of another
// core travels as a control message. A fault suspends the actor until its parent has decided.
#pragma once

#include <exception>
#include <string>

#include "troupe/actor/runtime/cell.h"

namespace troupe::actor {

/// Why an actor ended.
enum class StopReason : std::uint8_t {
  stopped,  // it or somebody else asked for it, or its system shut down
  failed,   // its supervisor gave it up
};

/// Told to who watches, once the actor's resources are released.
struct Terminated {
  static constexpr auto message_class = MessageClass::control;
  Address who;
  ActorId id;
  StopReason reason = StopReason::stopped;
};

namespace lifecycle {

struct SpawnPlan {
  Cell* cell = nullptr;
  const ActorType* type = nullptr;
  std::unique_ptr<Body> body;  // the cell becomes its owner
  ActorOptions options{};
};

/// Notes the child with its parent and sends it on its way; the cell may be of another core. On the parent's core.
void spawn(Core& here, Cell& parent, SpawnPlan plan);
/// Starts the one actor that has no parent.
void spawn_root(Core& core, Cell& cell, const ActorType& type, std::unique_ptr<Body> body, ActorOptions options);
/// From now on the parent's restart restarts its children in order and keeps their references, instead of ending them.
void keep_children(Cell& parent);
/// Notes such a child, which starts when its parent's own start is through, after those declared before it. On the
/// parent's core, in its start.
void declare(Core& here, Cell& parent, SpawnPlan plan);
/// Gives up a cell that was reserved for an actor which nobody will spawn. Any thread.
void give_up_reserved(Core* here, Address reserved);
/// Asks an actor on any core to stop; `here` is null on a foreign thread.
void request_stop(Core* here, Address actor, StopReason reason = StopReason::stopped);
/// Asks an actor on any core to stop once what is queued has been handled.
void request_drain(Core* here, Address actor);
/// The same for an actor of this core, by who owns it: behind what waits outside its mailbox too, and it ends for good.
void drain_last(Core& core, Address actor);
/// Whether this message asks for that. A cell that passes messages on keeps it for itself (forward.h).
bool is_drain(const Envelope& envelope) noexcept;
/// A cell that drains has nothing left: it ends for good.
void has_drained(Cell& cell);
/// The last handler of an actor that handles nothing more has ended: if it drains, it ends.
void last_handler_ended(Cell& cell);
/// Asks that `watcher` be told by `handler` (of Terminated) when `target`, on any core, has ended, under that address
/// even where it has moved meanwhile; without a watcher the core of the target is told.
void request_watch(Core& here, Address watcher, const Handler& handler, Address target);

/// Said by a start that is a coroutine once it is through.
void start_is_through(Cell& cell);
/// The actor threw: it is suspended, and its parent decides.
void fault(Cell& cell, std::exception_ptr error, std::string_view during);
/// Ends a cell without asking anybody, after the last turn of its system.
void obliterate(Core& core, Cell& cell) noexcept;

/// Ends a timer of an actor; a message of it that is queued already is not delivered any more.
void forget_timer(ActorTimer& timer) noexcept;

/// What an exception says of itself.
std::string describe(const std::exception_ptr& error);
/// Where the actor stands in the tree: "/office/clerk". Below a parent on another core one without a name of its own is
/// "/.../Clerk-1.17".
std::string path_of(const Cell& cell);
/// The number of an address, stable while its tenant lives.
ActorId id_of(Address address) noexcept;
}  // namespace lifecycle
}  // namespace troupe::actor
