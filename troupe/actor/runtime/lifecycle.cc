// See lifecycle.h. Each transition is a control message of its own, a struct with `apply`.
#include "troupe/actor/runtime/lifecycle.h"

#include <fmt/format.h>

#include <cmath>

#include "troupe/actor/runtime/control.h"
#include "troupe/actor/runtime/core.h"
#include "troupe/actor/runtime/mailbox.h"
#include "troupe/base/check.h"

namespace troupe::actor {
namespace {

void restart_now(TimerNode& node) noexcept;
void stop_timed_out(TimerNode& node) noexcept;

}  // namespace

RestartTimer::RestartTimer(ChildRecord& its_record) : TimerNode(restart_now), record(its_record) {}

namespace lifecycle {
namespace {

void start(Core& core, Cell& cell);
void stop(Core& core, Cell& cell, StopReason reason);
void stop_next_child(Core& core, Cell& cell);
void finish_stop(Core& core, Cell& cell);

// ---- the control messages ----

struct Start {
  static constexpr std::string_view name = "start";
  std::unique_ptr<Body> body;
  const ActorType* type;
  ActorOptions options;
  Address parent;
  ChildRecord* record;

  void apply(Core& core, Cell& cell) {
    cell.body = body.release();
    cell.type = type;
    cell.parent = parent;
    cell.record = record;
    cell.in_flight_max = options.in_flight_max;
    cell.restart = options.restart;
    cell.failed_for_good = false;
    // The options that are seldom set cost nothing where they are not.
    const bool plain = options.name.empty() && !options.supervision.decide &&
                       options.mailbox.overflow != Overflow::block && options.supervision.intensity == Intensity{} &&
                       options.supervision.backoff == Backoff{};
    if (!plain) {
      auto& extras = cell.more();
      extras.name = std::move(options.name);
      extras.supervision = std::move(options.supervision);
      extras.block_for = options.mailbox.block_for;
    }
    core.stats(*type).spawned.add();
    if (cell.pending_stop) {
      stop(core, cell, StopReason::stopped);
    } else {
      start(core, cell);
    }
  }
};

struct Stop {
  static constexpr std::string_view name = "stop";
  StopReason reason;
  bool by_itself = false;

  void apply(Core& core, Cell& cell);
};

struct ChildFailed {
  static constexpr std::string_view name = "a child failed";
  ChildRecord* record;
  Address child;
  std::exception_ptr error;  // null: it stopped itself and is to run always
  std::string during;

  void apply(Core& core, Cell& cell);
  void on_dead(Core& core) { request_stop(&core, child, StopReason::failed); }
};

struct ChildStopped {
  static constexpr std::string_view name = "a child has stopped";
  ChildRecord* record;

  void apply(Core& core, Cell& cell) {
    if (record->parent == nullptr) {
      core.forget_abandoned(*record);
      return;
    }
    const bool awaited = record == cell.extras->children.last;
    cell.extras->children.remove(record);
    core.dispose(record);
    const bool waits = cell.state == CellState::stopping || cell.state == CellState::restarting;
    if (waits && awaited) stop_next_child(core, cell);
  }
  void on_dead(Core& core) { core.forget_abandoned(*record); }  // a parent ends after all but the abandoned
};

struct Decision {
  static constexpr std::string_view name = "a supervisor's decision";
  Directive directive;

  /// The children whose fault was passed up go on with their parent.
  static void resume_escalated(Core& core, Cell& cell) {
    if (!cell.extras) return;
    for (ChildRecord* record = cell.extras->children.first; record != nullptr; record = record->next) {
      if (std::exchange(record->escalated, false)) control::send(&core, record->child, Decision{Directive::resume});
    }
  }
  void apply(Core& core, Cell& cell) {
    if (cell.state != CellState::failed) return;
    if (directive == Directive::resume && cell.object != nullptr) {  // what was never constructed cannot go on
      cell.state = CellState::running;
      resume_escalated(core, cell);
      return;
    }
    cell.state = CellState::restarting;
    stop_next_child(core, cell);
  }
};

struct Watch {
  static constexpr std::string_view name = "watch";
  Address watcher;
  Address target;
  const Handler* handler;

  void tell(Core& core, StopReason reason) const {
    Terminated message{.who = target, .id = lifecycle::id_of(target), .reason = reason};
    Core& to = watcher ? *watcher.cell->owner : core;
    Core::submit(&core, to, core.make(*handler, watcher, message));
  }
  void apply(Core&, Cell& cell) {
    auto& watchers = cell.more().watchers;
    // Who has died meanwhile is forgotten before the list grows, so short-lived watchers of a long life cost nothing.
    if (watchers.size() == watchers.capacity()) {
      std::erase_if(watchers, [](const auto& entry) {
        const Address a = entry.first;
        return a && a.cell->generation.load(std::memory_order_relaxed) != a.generation;
      });
      watchers.reserve(std::max<std::size_t>(4, 2 * watchers.size()));
    }
    watchers.push_back({watcher, handler});
  }
  void on_dead(Core& core) { tell(core, StopReason::stopped); }
};

// ---- starting ----

void start(Core& core, Cell& cell) {
  cell.state = CellState::starting;
  core.within(cell, "its start", [&] {
    cell.object = cell.body->construct();
    cell.state = CellState::running;
    if (cell.type->started != nullptr) cell.type->started(cell, cell.object);
  });
  cell.last_activity = core.now();
  core.schedule(cell);
}

// ---- stopping ----

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

void destroy_object(Cell& cell) noexcept {
  if (cell.object == nullptr) return;
  cell.body->destroy();
  cell.object = nullptr;
}

void Stop::apply(Core& core, Cell& cell) {
  if (cell.state == CellState::reserved) {
    cell.pending_stop = true;
    return;
  }
  if (by_itself && cell.restart == Restart::permanent && cell.state != CellState::stopping) {
    if (cell.state != CellState::running) return;  // it failed after it asked; its supervisor is deciding already
    cell.state = CellState::failed;
    control::send(&core, cell.parent, ChildFailed{cell.record, cell.address(), nullptr, "running"});
    return;
  }
  stop(core, cell, reason);
}

void stop(Core& core, Cell& cell, StopReason reason) {
  if (cell.state == CellState::stopping) return;
  cell.state = CellState::stopping;
  cell.quick = 0;
  cell.failed_for_good = reason == StopReason::failed;
  cancel_timers(cell);
  mailbox::clear(core, cell, Drop::stopped);
  end_activations(core, cell, "the actor stopped");
  stop_next_child(core, cell);
}

void restart(Core& core, Cell& cell) {
  cancel_timers(cell);
  end_activations(core, cell, "the actor was restarted");
  mailbox::unstash_all(core, cell);
  destroy_object(cell);
  ++cell.more().times_restarted;
  core.stats(*cell.type).restarted.add();
  start(core, cell);
}

/// The last started child that still lives is stopped first; when none is left the cell goes on with its own end.
void stop_next_child(Core& core, Cell& cell) {
  ChildRecord* last = cell.extras ? cell.extras->children.last : nullptr;
  if (last != nullptr) {
    if (last->timer) core.timers().disarm(*last->timer);
    request_stop(&core, last->child);
    auto& timer = cell.extras->stop_timer;
    timer = std::make_unique<StopTimer>(stop_timed_out, cell);
    core.timers().arm(*timer, core.now() + std::chrono::milliseconds{last->shutdown_milliseconds});
    return;
  }
  if (cell.extras) cell.extras->stop_timer.reset();
  if (cell.state == CellState::restarting) {
    restart(core, cell);
  } else {
    finish_stop(core, cell);
  }
}

void finish_stop(Core& core, Cell& cell) {
  if (cell.object != nullptr && cell.type->stopped != nullptr) {
    try {
      cell.type->stopped(cell, cell.object);
    } catch (...) {
      core.host().report(
          fmt::format("{} threw while it stopped: {}", path_of(cell), describe(std::current_exception())));
    }
  }
  mailbox::clear(core, cell, Drop::stopped);
  end_activations(core, cell, "the actor stopped");
  cancel_timers(cell);
  destroy_object(cell);
  delete std::exchange(cell.body, nullptr);
  core.stats(*cell.type).stopped.add();
  const auto reason = cell.failed_for_good ? StopReason::failed : StopReason::stopped;
  if (cell.extras) {
    const auto watchers = std::move(cell.extras->watchers);
    for (const auto& [watcher, handler] : watchers) Watch{watcher, cell.address(), handler}.tell(core, reason);
  }
  if (cell.parent) {
    control::send(&core, cell.parent, ChildStopped{cell.record});
  } else {
    core.host().root_stopped();
  }
  // What was told after the stop was asked for is answered before the address dies.
  while (Envelope* rest = cell.control.pop()) core.drop(rest, &cell, Drop::stopped);
  core.free_cell(cell);
}

// ---- deciding ----

/// How long the child waits for its next restart; nothing when there were too many.
std::optional<Duration> next_delay(Core& core, Cell& parent, ChildRecord& record) {
  auto& extras = parent.more();
  const auto& [intensity, backoff, decide] = extras.supervision;
  const Instant now = core.now();
  auto& recent = extras.restarts;
  while (!recent.empty() && recent.front() < now - intensity.within) recent.pop_front();
  if (recent.size() >= intensity.restarts) return std::nullopt;
  recent.push_back(now);

  if (!record.timer) record.timer = std::make_unique<RestartTimer>(record);
  RestartTimer& timer = *record.timer;
  if (timer.attempt > 0 && now - timer.last_restart > backoff.reset_after) timer.attempt = 0;
  ++timer.attempt;
  const double factor = std::exp2(std::min(timer.attempt - 1, 40u));
  const double plain =
      std::min(static_cast<double>(backoff.min.count()) * factor, static_cast<double>(backoff.max.count()));
  const double varied = plain * (1.0 + backoff.jitter * (2.0 * core.random().unit() - 1.0));
  return Duration{static_cast<std::int64_t>(varied)};
}

Directive directive_for(const Cell& parent, const std::exception_ptr& error) {
  if (error == nullptr || !parent.extras || !parent.extras->supervision.decide) return Directive::restart;
  return parent.extras->supervision.decide(error);
}

void ChildFailed::apply(Core& core, Cell& cell) {
  if (record->parent == nullptr) {  // it failed before it noticed that it was to stop
    request_stop(&core, child, StopReason::failed);
    return;
  }
  if (cell.state == CellState::stopping || cell.state == CellState::restarting) return;  // it is being stopped anyway
  Directive directive = Directive::escalate;
  try {
    directive = directive_for(cell, error);
  } catch (...) {
    fault(cell, std::current_exception(), "deciding about a child's fault");
    return;
  }
  if (directive == Directive::restart && record->restart == Restart::temporary) directive = Directive::stop;
  switch (directive) {
    case Directive::resume:
      control::send(&core, child, Decision{Directive::resume});
      return;
    case Directive::stop:
      request_stop(&core, child, StopReason::failed);
      return;
    case Directive::escalate:
      record->escalated = true;
      fault(cell, error, fmt::format("the fault of a child during {}", during));
      return;
    case Directive::restart:
      break;
  }
  const auto delay = next_delay(core, cell, *record);
  if (!delay) {
    record->escalated = true;
    const auto why = fmt::format("a child failed too often, at last during {}: {}", during, describe(error));
    fault(cell, std::make_exception_ptr(std::runtime_error(why)), "supervision");
    return;
  }
  core.timers().arm(*record->timer, core.now() + *delay);
}

}  // namespace

// ---- what others call ----

void spawn(Core& here, Cell& parent, SpawnPlan plan) {
  auto* record = here.create<ChildRecord>();
  record->parent = &parent;
  record->child = plan.cell->address();
  record->restart = plan.options.restart;
  record->shutdown_milliseconds = static_cast<std::uint32_t>(std::clamp<std::int64_t>(
      std::chrono::ceil<std::chrono::milliseconds>(plan.options.shutdown).count(), 0, INT32_MAX));
  const bool ending = parent.state == CellState::stopping || parent.state == CellState::free;
  const Address child = record->child;
  Start message{std::unique_ptr<Body>{plan.body}, plan.type, std::move(plan.options), parent.address(), record};
  if (ending) {
    // Nobody would wait for this child or decide about it: it is stopped before its start, so it never runs.
    here.abandon(*record);
    control::send(&here, child, Stop{StopReason::stopped});
  } else {
    parent.more().children.push(record);
  }
  if (plan.cell->owner == &here && !ending) {
    message.apply(here, *plan.cell);
  } else {
    control::send(&here, child, std::move(message));
  }
}

void spawn_root(Core& core, Cell& cell, const ActorType& type, Body* body, ActorOptions options) {
  Start{std::unique_ptr<Body>{body}, &type, std::move(options), {}, nullptr}.apply(core, cell);
}

void request_stop(Core* here, Address actor, StopReason reason) {
  const bool by_itself = here != nullptr && here->running_cell() == actor.cell && reason == StopReason::stopped;
  control::send(here, actor, Stop{reason, by_itself});
}

void request_watch(Core& here, Address watcher, const Handler& handler, Address target) {
  control::send(&here, target, Watch{watcher, target, &handler});
}

void fault(Cell& cell, std::exception_ptr error, std::string_view during) {
  Core& core = *cell.owner;
  if (cell.state == CellState::stopping || cell.state == CellState::free) return;
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
  control::send(&core, cell.parent, ChildFailed{cell.record, cell.address(), std::move(error), std::string{during}});
}

void obliterate(Core& core, Cell& cell) noexcept {
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
  // Another core's cells may not be read from here; the path then begins at the core's border.
  if (cell.parent.cell->owner != cell.owner) return fmt::format("(core {})/{}", cell.owner->index(), own);
  if (!cell.parent.cell->is(cell.parent.generation)) return fmt::format("(abandoned)/{}", own);
  const std::string above = path_of(*cell.parent.cell);
  return above == "/" ? "/" + own : above + "/" + own;
}

}  // namespace lifecycle

namespace {

void restart_now(TimerNode& node) noexcept {
  auto& timer = static_cast<RestartTimer&>(node);
  Core& core = *timer.record.parent->owner;
  timer.last_restart = core.now();
  control::send(&core, timer.record.child, lifecycle::Decision{Directive::restart});
}

void stop_timed_out(TimerNode& node) noexcept {
  Cell& cell = static_cast<StopTimer&>(node).cell;
  Core& core = *cell.owner;
  ChildRecord* late = cell.extras->children.last;
  core.host().report(fmt::format("a child of {} did not stop in time and is left behind", lifecycle::path_of(cell)));
  cell.extras->children.remove(late);
  core.abandon(*late);
  lifecycle::stop_next_child(core, cell);
}

}  // namespace
}  // namespace troupe::actor
