// Lifecycle messages: the control messages between a parent and its children, and what the two halves of
// lifecycle call of each other.
//
// Private to lifecycle*.cc. From one cell to another they arrive in the order in which they
// were sent, so a parent that has seen `ChildHalted` has seen everything that came before.
#pragma once

#include "troupe/actor/runtime/control.h"
#include "troupe/actor/runtime/core.h"

namespace troupe::actor::lifecycle {

// ---- to a child ----

struct Start {
  static constexpr std::string_view name = "start";
  std::unique_ptr<Body> body;
  const ActorType* type;
  ActorOptions options;
  Address parent;
  ChildRecord* record;
  bool held = false;                         // it waits for `StartAgain`
  std::unique_ptr<const std::string> above;  // see CellExtras

  void apply(Core& core, Cell& cell);
};

struct Stop {
  static constexpr std::string_view name = "stop";
  StopReason reason;
  bool by_itself = false;

  void apply(Core& core, Cell& cell);
};

/// Put your children and your object down, and wait.
struct Halt {
  static constexpr std::string_view name = "halt";

  void apply(Core& core, Cell& cell);
};

struct StartAgain {
  static constexpr std::string_view name = "start again";
  bool is_restart;
  bool announce;  // ... when its start is through

  void apply(Core& core, Cell& cell);
};

/// Go on after your fault with the state that you have.
struct Resume {
  static constexpr std::string_view name = "resume";

  void apply(Core& core, Cell& cell);
};

// ---- to the parent ----

struct ChildFailed {
  static constexpr std::string_view name = "a child failed";
  ChildRecord* record;
  Address child;
  std::exception_ptr error;  // null: it stopped itself and is to run always
  std::string during;
  bool started;

  void apply(Core& core, Cell& cell);
  void on_dead(Core& core) { request_stop(&core, child, StopReason::failed); }
};

struct ChildHalted {
  static constexpr std::string_view name = "a child has halted";
  ChildRecord* record;

  void apply(Core& core, Cell& cell);
};

struct ChildStarted {
  static constexpr std::string_view name = "a child has started";
  ChildRecord* record;

  void apply(Core& core, Cell& cell);
};

struct ChildStopped {
  static constexpr std::string_view name = "a child has stopped";
  ChildRecord* record;

  void apply(Core& core, Cell& cell);
  void on_dead(Core& core) { core.forget_abandoned(*record); }  // a parent ends after all but the abandoned
};

// ---- lifecycle.cc: a cell's own life ----

/// The children of a cell that ends or halts are out of the way.
void children_are_gone(Core& core, Cell& cell);
/// Nothing of this incarnation's start is missing any more.
void has_started(Core& core, Cell& cell);

// ---- lifecycle_supervise.cc: a parent and its children ----

/// The next step of what the cell is doing with its children; harmless where there is none.
void go_on(Core& core, Cell& cell);
/// Starts the children that wait, in order; the cell has started when they have.
void begin_own_round(Core& core, Cell& cell);
/// What the cell was doing with its children together is over, or is overtaken by its own end.
void end_round(Cell& cell) noexcept;
/// Before a cell that keeps its children halts: all of them will.
void gather_children(Cell& cell) noexcept;
/// The children whose fault was passed up go on with their parent.
void resume_escalated(Core& core, Cell& cell);

}  // namespace troupe::actor::lifecycle
