// See lifecycle.h. Here: a cell's own life, from its start to its end; what a parent does about its children stands in
// lifecycle_supervise.cc.
#include "troupe/actor/runtime/lifecycle.h"

#include <fmt/format.h>

#include "troupe/actor/runtime/credits.h"
#include "troupe/actor/runtime/forward.h"
#include "troupe/actor/runtime/lifecycle_messages.h"
#include "troupe/actor/runtime/mailbox.h"

namespace troupe::actor::lifecycle {
namespace {

struct Watch {
  static constexpr std::string_view name = "watch";
  Address watcher;
  Address target;
  const Handler* handler;

  void tell(Core& core, StopReason reason) const {
    Terminated message{.who = target, .id = lifecycle::id_of(target), .reason = reason};
    Core& to = *(watcher ? watcher : target).cell->owner;
    Core::submit(&core, to, core.make(*handler, watcher, message));
  }
  void apply(Core&, Cell& cell) {
    auto& watchers = cell.more().watchers;
    // Who has died meanwhile is forgotten before the list grows, so short-lived watchers of a long life cost nothing.
    if (watchers.size() == watchers.capacity()) {
      std::erase_if(watchers, [](const auto& entry) {
        const Address a = entry.watcher;
        return a && a.cell->generation.load(std::memory_order_relaxed) != a.generation;
      });
      watchers.reserve(std::max<std::size_t>(4, 2 * watchers.size()));
    }
    watchers.push_back({watcher, handler, target});
  }
  void on_dead(Core& core) { tell(core, StopReason::stopped); }
};

void tell_watchers(Core& core, Cell& cell, StopReason reason) {
  if (!cell.extras) return;
  const auto watchers = std::move(cell.extras->watchers);
  for (const auto& [watcher, handler, known_as] : watchers) Watch{watcher, known_as, handler}.tell(core, reason);
}

/// Queues like a user message, so what was told before is handled first.
struct Drain {
  bool by_itself;
};

constexpr Handler drain_handler{
    .invoke =
        [](Core&, Cell* cell, Envelope& envelope) {
          CellExtras& extras = cell->more();
          if (extras.draining) return;
          extras.draining = true;
          extras.drains_itself = envelope.message<Drain>().by_itself;
          // Handlers that are suspended go on to their end, and nothing else is handled meanwhile.
          ++cell->exclusive;
          if (cell->in_flight == 0) last_handler_ended(*cell);
        },
    .destroy = destroy_message<Drain>,
    .undeliverable = [](Core&, Envelope&) {},  // it has ended already
    .message = "drain",
    .priority = Priority::low,  // behind all that is queued
    .message_class = MessageClass::control,
};

/// Nobody will spawn the actor that the cell was reserved for.
struct GiveUp {
  static constexpr std::string_view name = "give up";

  void apply(Core& core, Cell& cell) {
    if (cell.state != CellState::reserved) return;
    mailbox::clear(core, cell, Drop::dead);
    tell_watchers(core, cell, StopReason::stopped);
    while (Envelope* rest = cell.control.pop()) core.drop(rest, &cell, Drop::dead);
    core.free_cell(cell);
  }
};

// ---- starting ----

void start(Core& core, Cell& cell) {
  cell.state = CellState::starting;
  cell.has_started = false;
  core.within(cell, "its start", [&] {
    cell.object = cell.body->construct();
    cell.state = CellState::running;
    const bool through = cell.type->started == nullptr || cell.type->started(cell, cell.object);
    if (through) start_is_through(cell);
  });
  cell.last_activity = core.now();
  core.schedule(cell);
}

// ---- ending ----

void cancel_timers(Cell& cell) noexcept {
  while (cell.extras && cell.extras->timers.first != nullptr) forget_timer(*cell.extras->timers.first);
}

/// Ends every suspended handler: its frames first, then its asker is told.
void end_activations(Core& core, Cell& cell, const char* why) noexcept {
  while (Activation* activation = cell.activations.first) {
    const ReplyTo reply = activation->reply;
    core.end(*activation);
    if (reply) core.fail_ask(reply, Outcome::executed_failed, why);
  }
}

void call_stopped(Core& core, Cell& cell) {
  if (cell.object == nullptr || cell.type->stopped == nullptr) return;
  try {
    cell.type->stopped(cell, cell.object);
  } catch (...) {
    core.host().report(fmt::format("{} threw while it stopped: {}", path_of(cell), describe(std::current_exception())));
  }
}

void destroy_object(Cell& cell) noexcept {
  if (cell.object == nullptr) return;
  cell.body->destroy();
  cell.object = nullptr;
}

void stop(Core& core, Cell& cell, StopReason reason) {
  if (cell.state == CellState::stopping) return;
  cell.state = CellState::stopping;
  cell.quick = 0;
  credits::close(cell);
  cell.failed_for_good = reason == StopReason::failed;
  cancel_timers(cell);
  mailbox::clear(core, cell, Drop::stopped);
  end_activations(core, cell, "the actor stopped");
  end_round(cell);
  go_on(core, cell);
}

void finish_stop(Core& core, Cell& cell) {
  call_stopped(core, cell);
  mailbox::clear(core, cell, Drop::stopped);
  end_activations(core, cell, "the actor stopped");
  cancel_timers(cell);
  destroy_object(cell);
  delete std::exchange(cell.body, nullptr);
  core.stats(*cell.type).stopped.add();
  tell_watchers(core, cell, cell.failed_for_good ? StopReason::failed : StopReason::stopped);
  if (cell.parent) {
    control::send(&core, cell.parent, ChildStopped{cell.record});
  } else {
    core.host().root_stopped();
  }
  // What was told after the stop was asked for is answered before the address dies.
  while (Envelope* rest = cell.control.pop()) core.drop(rest, &cell, Drop::stopped);
  core.free_cell(cell);
}

/// Frames first, then the object; the mailbox stays, and what is told from now on waits there.
void finish_halt(Core& core, Cell& cell) {
  if (std::exchange(cell.more().halts_healthy, false)) call_stopped(core, cell);
  cancel_timers(cell);
  end_activations(core, cell, "the actor was restarted");
  mailbox::unstash_all(core, cell);
  destroy_object(cell);
  cell.state = CellState::halted;
  control::send(&core, cell.parent, ChildHalted{cell.record});
}

// ---- paths ----

/// Another core's cells may not be read from here. Who has a name was given the path of its parent with it; who has
/// none bears the number of its core, by which it is found.
std::string_view above_on_another_core(const Cell& cell) noexcept {
  if (cell.extras && cell.extras->above) return *cell.extras->above;
  return cell.parent.cell->is_root() ? "/" : "/...";
}

std::string path_below(std::string_view above, std::string_view own) {
  return above == "/" ? fmt::format("/{}", own) : fmt::format("{}/{}", above, own);
}

}  // namespace

// ---- the control messages of a cell's own life ----

void Start::apply(Core& core, Cell& cell) {
  cell.body = body.release();
  cell.type = type;
  cell.parent = parent;
  cell.record = record;
  cell.in_flight_max = options.in_flight_max;
  cell.restart = options.restart;
  cell.failed_for_good = false;
  // The options that are seldom set cost nothing where they are not.
  const Supervision& supervision = options.supervision;
  const bool plain = options.name.empty() && !supervision.decide && options.mailbox.overflow != Overflow::block &&
                     supervision.strategy == Strategy::one_for_one && supervision.intensity == Intensity{} &&
                     supervision.backoff == Backoff{};
  if (!plain) {
    auto& extras = cell.more();
    extras.name = std::move(options.name);
    extras.above = std::move(above);
    extras.supervision = std::move(options.supervision);
    extras.block_for = options.mailbox.block_for;
  }
  core.stats(*type).spawned.add();
  if (cell.pending_stop) {
    stop(core, cell, StopReason::stopped);
  } else if (held) {
    cell.state = CellState::halted;
  } else {
    start(core, cell);
  }
}

void Stop::apply(Core& core, Cell& cell) {
  if (cell.state == CellState::reserved) {
    cell.pending_stop = true;
    return;
  }
  if (by_itself && cell.restart == Restart::permanent && cell.state != CellState::stopping) {
    if (cell.state != CellState::running) return;  // it failed after it asked; its supervisor is deciding already
    cell.state = CellState::failed;
    control::send(&core, cell.parent, ChildFailed{cell.record, cell.address(), nullptr, "running", cell.has_started});
    return;
  }
  stop(core, cell, reason);
}

void Halt::apply(Core& core, Cell& cell) {
  if (cell.state == CellState::stopping) return;  // it ends anyway, and its parent will hear of it
  CellExtras& extras = cell.more();
  extras.halts_healthy = cell.state == CellState::running && cell.has_started;
  extras.announces = false;
  extras.restarts.clear();  // a new incarnation starts with its patience whole
  cell.state = CellState::restarting;
  end_round(cell);
  if (extras.keeps_children) gather_children(cell);
  go_on(core, cell);
}

void StartAgain::apply(Core& core, Cell& cell) {
  if (cell.state != CellState::halted) return;
  if (is_restart) {
    ++cell.more().times_restarted;
    core.stats(*cell.type).restarted.add();
  }
  if (announce) cell.more().announces = true;
  start(core, cell);
}

void Resume::apply(Core& core, Cell& cell) {
  if (cell.state != CellState::failed || cell.object == nullptr) return;
  cell.state = CellState::running;
  resume_escalated(core, cell);
  go_on(core, cell);
}

void children_are_gone(Core& core, Cell& cell) {
  if (cell.state == CellState::stopping) {
    finish_stop(core, cell);
  } else {
    finish_halt(core, cell);
  }
}

void has_started(Core& core, Cell& cell) {
  cell.has_started = true;
  if (forwarding::forwards(cell)) forwarding::has_started(core, cell);
  if (cell.extras && std::exchange(cell.extras->announces, false)) {
    control::send(&core, cell.parent, ChildStarted{cell.record});
  }
}

// ---- what others call ----

void start_is_through(Cell& cell) {
  if (cell.extras && cell.extras->keeps_children) {
    begin_own_round(*cell.owner, cell);
  } else {
    has_started(*cell.owner, cell);
  }
}

void spawn_root(Core& core, Cell& cell, const ActorType& type, std::unique_ptr<Body> body, ActorOptions options) {
  Start{std::move(body), &type, std::move(options), {}, nullptr}.apply(core, cell);
}

void give_up_reserved(Core* here, Address reserved) { control::send(here, reserved, GiveUp{}); }

void request_stop(Core* here, Address actor, StopReason reason) {
  const bool by_itself = here != nullptr && here->running_cell() == actor.cell && reason == StopReason::stopped;
  control::send(here, actor, Stop{reason, by_itself});
}

void request_drain(Core* here, Address actor) {
  const bool by_itself = here != nullptr && here->running_cell() == actor.cell;
  Core::submit(here, *actor.cell->owner, Core::make_on(here, drain_handler, actor, Drain{by_itself}));
}

void drain_last(Core& core, Address actor) {
  if (!actor.cell->is(actor.generation) || actor.cell->state == CellState::stopping) return;  // it ends already
  mailbox::append_last(core, *actor.cell, core.make(drain_handler, actor, Drain{false}));
}

bool is_drain(const Envelope& envelope) noexcept { return envelope.handler == &drain_handler; }

void has_drained(Cell& cell) { control::send(cell.owner, cell.address(), Stop{StopReason::stopped, false}); }

void last_handler_ended(Cell& cell) {
  if (!cell.extras || !std::exchange(cell.extras->draining, false)) return;
  --cell.exclusive;
  control::send(cell.owner, cell.address(), Stop{StopReason::stopped, cell.extras->drains_itself});
}

void request_watch(Core& here, Address watcher, const Handler& handler, Address target) {
  control::send(&here, target, Watch{watcher, target, &handler});
}

void fault(Cell& cell, std::exception_ptr error, std::string_view during) {
  Core& core = *cell.owner;
  // What is being ended or restarted anyway has no supervisor to ask.
  if (cell.state == CellState::stopping || cell.state == CellState::free || cell.state == CellState::restarting) return;
  ++cell.more().errors;
  core.stats(*cell.type).failed.add();
  const std::string what = describe(error);
  cell.more().last_failure = fmt::format("{} (during {})", what, during);
  core.host().report(fmt::format("{} failed during {}: {}", path_of(cell), during, what));
  if (cell.state == CellState::failed) return;  // its parent has the first fault before it and will decide
  cell.state = CellState::failed;
  if (!cell.parent) {
    core.host().root_failed(what);
    return;
  }
  control::send(&core, cell.parent,
                ChildFailed{cell.record, cell.address(), std::move(error), std::string{during}, cell.has_started});
}

void obliterate(Core& core, Cell& cell) noexcept {
  cell.state = CellState::stopping;  // what it is told because of its own end, or of another's, ends at once
  cell.quick = 0;
  cancel_timers(cell);
  end_activations(core, cell, "the system ended");
  mailbox::clear(core, cell, Drop::stopped);
  while (Envelope* control = cell.control.pop()) core.destroy(control);
  destroy_object(cell);
  delete std::exchange(cell.body, nullptr);
  while (cell.extras && cell.extras->children.first != nullptr) {
    ChildRecord* record = cell.extras->children.first;
    cell.extras->children.remove(record);
    core.dispose(record);
  }
  cell.extras.reset();
}

std::string describe(const std::exception_ptr& error) {
  if (error == nullptr) return "it stopped itself";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

ActorId id_of(Address address) noexcept {
  return {static_cast<std::uint64_t>(address.cell->number) << 32 | address.generation};
}

std::string path_of(const Cell& cell) {
  const std::string own = cell.extras && !cell.extras->name.empty()
                              ? cell.extras->name
                              : fmt::format("{}-{}.{}", cell.type->name, cell.owner->index(), cell.place());
  if (!cell.parent) return "/";
  if (cell.parent.cell->owner != cell.owner) return path_below(above_on_another_core(cell), own);
  if (!cell.parent.cell->is(cell.parent.generation)) return fmt::format("(abandoned)/{}", own);
  return path_below(path_of(*cell.parent.cell), own);
}

}  // namespace troupe::actor::lifecycle
