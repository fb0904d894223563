// See lifecycle.h. Here: a parent and its children: what it decides about a fault, and how several start or stop in
// order.
//
// Each event (a child failed, halted, started, ended, ran out of time) changes the child's record and calls `go_on`,
// which finds the next step by looking at all records. So nothing depends on which event came when.
#include <fmt/format.h>

#include <cmath>

#include "troupe/actor/runtime/forward.h"
#include "troupe/actor/runtime/lifecycle_messages.h"
#include "troupe/base/check.h"

namespace troupe::actor {
namespace {

void restart_one(TimerNode& node) noexcept;
void end_back_off(TimerNode& node) noexcept;
void stop_timed_out(TimerNode& node) noexcept;

}  // namespace

ChildExtras::ChildExtras(ChildRecord& its_record) : TimerNode(restart_one), record(its_record) {}
Round::Round(Cell& its_cell) : TimerNode(end_back_off), cell(its_cell) {}
StopTimer::StopTimer(Cell& waiting, ChildRecord& for_whom) noexcept
    : TimerNode(stop_timed_out), cell(waiting), awaited(for_whom) {}

namespace lifecycle {
namespace {

bool is_on_its_way_out(const Cell& cell) noexcept {
  return cell.state == CellState::stopping || cell.state == CellState::restarting || cell.state == CellState::halted ||
         cell.state == CellState::free;
}

// ---- one child ----

/// Who passes messages on is told, so that it may spare a child that is not up.
void enter(ChildRecord& record, ChildPhase phase) noexcept {
  record.phase = phase;
  if (!forwarding::forwards(*record.parent)) return;
  if (Forwarder* to = forwarding::of(*record.parent)) to->child_changed(record.child, phase == ChildPhase::up);
}

/// Gives the child, which was asked to end or halt, its time for it.
void give_time(Core& core, Cell& cell, ChildRecord& record) {
  auto& timer = cell.extras->stop_timer;
  if (timer && &timer->awaited == &record) return;
  timer = std::make_unique<StopTimer>(cell, record);
  core.timers().arm(*timer, core.now() + std::chrono::milliseconds{record.shutdown_milliseconds});
}

void stop_waiting_for(Cell& cell, const ChildRecord& record) noexcept {
  auto& timer = cell.extras->stop_timer;
  if (timer && &timer->awaited == &record) timer.reset();
}

void ask_to_stop(Core& core, Cell& cell, ChildRecord& record, StopReason reason) {
  enter(record, ChildPhase::stopping);
  if (record.extras) core.timers().disarm(*record.extras);
  stop_waiting_for(cell, record);
  request_stop(&core, record.child, reason);
}

void ask_to_halt(Core& core, ChildRecord& record) {
  enter(record, ChildPhase::halting);
  control::send(&core, record.child, Halt{});
}

void start_child(Core& core, ChildRecord& record, bool awaited) {
  awaited = awaited || forwarding::forwards(*record.parent);  // who spares it until then
  enter(record, awaited ? ChildPhase::starting : ChildPhase::up);
  if (record.extras) record.extras->last_restart = core.now();
  control::send(&core, record.child, StartAgain{.is_restart = record.ran_before, .announce = awaited});
  record.ran_before = true;
}

/// The last started child is asked to end. False: there is none left.
bool stop_last_child(Core& core, Cell& cell) {
  ChildRecord* last = cell.extras ? cell.extras->children.last : nullptr;
  if (last == nullptr) return false;
  if (last->phase != ChildPhase::stopping) ask_to_stop(core, cell, *last, StopReason::stopped);
  give_time(core, cell, *last);
  return true;
}

// ---- several children together ----

void join(ChildRecord& record) noexcept {
  record.in_round = true;
  if (record.extras && record.extras->armed()) record.parent->owner->timers().disarm(*record.extras);
}

/// The last started of those in the round is asked to halt. False: all have.
bool halt_last_member(Core& core, Cell& cell) {
  for (ChildRecord* record = cell.extras->children.last; record != nullptr; record = record->previous) {
    if (!record->in_round || record->phase == ChildPhase::halted) continue;
    const bool asked = record->phase == ChildPhase::halting || record->phase == ChildPhase::stopping;
    // Where the parent itself restarts, no sibling's fault takes its temporary children along.
    const bool ends = record->restart == Restart::temporary && cell.state != CellState::restarting;
    if (!asked && ends) ask_to_stop(core, cell, *record, StopReason::stopped);
    if (!asked && !ends) ask_to_halt(core, *record);
    give_time(core, cell, *record);
    return true;
  }
  return false;
}

/// The first of those in the round that has not started is asked to. False: all have.
bool start_next_member(Core& core, Cell& cell) {
  for (ChildRecord* record = cell.extras->children.first; record != nullptr; record = record->next) {
    if (!record->in_round) continue;
    if (record->phase == ChildPhase::halted) start_child(core, *record, true);
    if (record->phase == ChildPhase::starting) return true;
  }
  return false;
}

void go_on_with_round(Core& core, Cell& cell) {
  Round& round = *cell.extras->round;
  if (round.step == Round::Step::halting) {
    if (halt_last_member(core, cell)) return;
    round.step = Round::Step::waiting;
    core.timers().arm(round, round.not_before);
  }
  if (round.step == Round::Step::waiting || start_next_member(core, cell)) return;
  const bool own_start = round.own_start;
  end_round(cell);
  if (own_start) has_started(core, cell);
}

/// Who has started in the round is as good as the others from now on.
void leave_those_that_are_up(Cell& cell) noexcept {
  for (ChildRecord* record = cell.extras->children.first; record != nullptr; record = record->next) {
    if (record->phase == ChildPhase::up) record->in_round = false;
  }
}

/// Restarts `first` and those that follow it in the list after the delay. One at a time has a round: a fault
/// meanwhile widens it.
void restart_together(Core& core, Cell& cell, ChildRecord& first, Duration delay) {
  auto& round = cell.extras->round;
  if (!round) round = std::make_unique<Round>(cell);
  core.timers().disarm(*round);
  if (round->step == Round::Step::starting) leave_those_that_are_up(cell);
  round->step = Round::Step::halting;
  round->not_before = std::max(round->not_before, core.now() + delay);
  for (ChildRecord* record = &first; record != nullptr; record = record->next) join(*record);
  go_on(core, cell);
}

void restart_alone(Core& core, Cell& cell, ChildRecord& record, Duration delay) {
  record.in_round = false;
  ask_to_halt(core, record);
  core.timers().arm(record.more(), core.now() + delay);
  go_on(core, cell);  // a round it was a member of does not wait for it
}

// ---- deciding ----

/// A child of another core has left its name here when it was spawned; one of this core carries it itself.
std::string_view name_of(const ChildRecord& record) noexcept {
  const Cell& cell = *record.child.cell;
  if (cell.owner != record.parent->owner)
    return record.extras ? std::string_view{record.extras->name} : std::string_view{};
  return cell.is(record.child.generation) && cell.extras ? std::string_view{cell.extras->name} : std::string_view{};
}

ChildState state_of(const ChildRecord& record) noexcept {
  return {.name = name_of(record),
          .address = record.child,
          .restart = record.restart,
          .running = record.phase == ChildPhase::up,
          .attempt = record.extras ? record.extras->attempt : 0};
}

std::vector<Instant>& recent_restarts(Core& core, Cell& cell) {
  auto& recent = cell.extras->restarts;
  const Instant since = core.now() - cell.extras->supervision.intensity.within;
  recent.erase(recent.begin(), std::ranges::lower_bound(recent, since));
  return recent;
}

/// A child that has been quiet for long enough begins anew with its attempts.
void forget_old_attempts(Core& core, const Cell& cell, ChildRecord& record) {
  if (!record.extras) return;
  const Backoff& backoff = cell.extras->supervision.backoff;
  if (core.now() - record.extras->last_restart > backoff.reset_after) record.extras->attempt = 0;
}

Duration back_off(Core& core, const Backoff& backoff, std::uint32_t attempt) {
  const double factor = std::exp2(std::min(attempt - 1, 40u));
  const double plain =
      std::min(static_cast<double>(backoff.min.count()) * factor, static_cast<double>(backoff.max.count()));
  const double varied = plain * (1.0 + backoff.jitter * (2.0 * core.random().unit() - 1.0));
  constexpr double longest = 1e18;  // thirty years, which a Duration holds
  return Duration{static_cast<std::int64_t>(std::clamp(varied, 0.0, longest))};
}

/// How long the child waits for its next restart; nothing when there were too many.
std::optional<Duration> next_delay(Core& core, Cell& cell, ChildRecord& record, const Decision& decision) {
  const auto& [strategy, intensity, backoff, decide] = cell.extras->supervision;
  auto& recent = recent_restarts(core, cell);
  if (recent.size() >= intensity.restarts) return std::nullopt;
  if (!decision.delay && record.extras && record.extras->attempt >= backoff.attempts_max) return std::nullopt;
  recent.push_back(core.now());
  const std::uint32_t attempt = ++record.more().attempt;
  return decision.delay ? *decision.delay : back_off(core, backoff, attempt);
}

void restart(Core& core, Cell& cell, ChildRecord& record, const ChildFailed& failed, const Decision& decision) {
  const auto delay = next_delay(core, cell, record, decision);
  if (!delay) {
    const auto why =
        fmt::format("a child failed too often, at last during {}: {}", failed.during, describe(failed.error));
    fault(cell, std::make_exception_ptr(std::runtime_error(why)), "supervision");
    return;
  }
  const bool all =
      decision.directive == Directive::restart_all || cell.extras->supervision.strategy == Strategy::all_for_one;
  if (all) {
    restart_together(core, cell, *cell.extras->children.first, *delay);
  } else if (cell.extras->supervision.strategy == Strategy::rest_for_one) {
    restart_together(core, cell, record, *delay);
  } else {
    restart_alone(core, cell, record, *delay);
  }
}

Decision decide(Core& core, Cell& cell, ChildRecord& record, const ChildFailed& failed) {
  forget_old_attempts(core, cell, record);
  const Fault fault{.error = failed.error,
                    .during = failed.during,
                    .child = state_of(record),
                    .recent = static_cast<std::uint32_t>(recent_restarts(core, cell).size()),
                    .started = failed.started,
                    .supervisor = &cell};
  Decision decision = cell.extras->supervision.decide(fault);
  // What has no state that it could go on with must start anew.
  if (decision.directive == Directive::resume && !failed.started) decision = Directive::restart;
  const bool restarts = decision.directive == Directive::restart || decision.directive == Directive::restart_all;
  if (restarts && record.restart == Restart::temporary) return Directive::stop;
  return decision;
}

/// Whether the fault needs no decision, because the child is being ended or restarted anyway.
bool is_overtaken(const Cell& cell, const ChildRecord& record) noexcept {
  if (is_on_its_way_out(cell)) return true;
  if (record.phase == ChildPhase::halting || record.phase == ChildPhase::stopping) return true;
  return record.in_round && cell.extras->round && cell.extras->round->step == Round::Step::halting;
}

}  // namespace

// A child whose fault makes its supervisor fail stays as it is until somebody has decided about the supervisor.
void ChildFailed::apply(Core& core, Cell& cell) {
  if (record->parent == nullptr) {  // it failed before it noticed that it was to stop
    request_stop(&core, child, StopReason::failed);
    return;
  }
  if (is_overtaken(cell, *record)) return;
  enter(*record, ChildPhase::failed);
  record->has_started = started;
  if (!started && record->in_round && cell.extras->round && cell.extras->round->own_start) {
    // The children that have started are put down in the reverse order, as whoever decides about the parent says.
    end_round(cell);
    fault(cell, error, fmt::format("the start of a child, during {}", during));
    return;
  }
  try {
    const Decision decision = decide(core, cell, *record, *this);
    switch (decision.directive) {
      case Directive::resume:
        enter(*record, ChildPhase::up);
        control::send(&core, child, Resume{});
        break;
      case Directive::stop:
        ask_to_stop(core, cell, *record, StopReason::failed);
        break;
      case Directive::escalate:
        fault(cell, error, fmt::format("the fault of a child during {}", during));
        return;
      case Directive::restart:
      case Directive::restart_all:
        restart(core, cell, *record, *this, decision);
        return;
    }
  } catch (...) {
    fault(cell, std::current_exception(), "deciding about a child's fault");
    return;
  }
  go_on(core, cell);
}

void ChildHalted::apply(Core& core, Cell& cell) {
  if (record->parent == nullptr || record->phase != ChildPhase::halting) return;
  enter(*record, ChildPhase::halted);
  stop_waiting_for(cell, *record);
  const bool due = !record->in_round && !(record->extras && record->extras->armed());
  if (due && !is_on_its_way_out(cell)) start_child(core, *record, false);
  go_on(core, cell);
}

void ChildStarted::apply(Core& core, Cell& cell) {
  if (record->parent == nullptr || record->phase != ChildPhase::starting) return;
  enter(*record, ChildPhase::up);
  go_on(core, cell);
}

void ChildStopped::apply(Core& core, Cell& cell) {
  if (record->parent == nullptr) {
    core.forget_abandoned(*record);
    return;
  }
  stop_waiting_for(cell, *record);
  cell.extras->children.remove(record);
  core.dispose(record);
  go_on(core, cell);
}

void resume_escalated(Core& core, Cell& cell) {
  if (!cell.extras) return;
  for (ChildRecord* record = cell.extras->children.first; record != nullptr; record = record->next) {
    if (record->phase != ChildPhase::failed) continue;
    enter(*record, ChildPhase::up);
    if (record->has_started) {
      control::send(&core, record->child, Resume{});
    } else {
      restart_alone(core, cell, *record, back_off(core, cell.extras->supervision.backoff, ++record->more().attempt));
    }
  }
}

void go_on(Core& core, Cell& cell) {
  switch (cell.state) {
    case CellState::stopping:
      if (stop_last_child(core, cell)) return;
      children_are_gone(core, cell);
      return;
    case CellState::restarting: {
      const bool keeps = cell.extras && cell.extras->keeps_children;
      const bool waits = keeps ? halt_last_member(core, cell) : stop_last_child(core, cell);
      if (!waits) children_are_gone(core, cell);
      return;
    }
    case CellState::running:
      if (cell.extras && cell.extras->round && !cell.extras->round->armed()) go_on_with_round(core, cell);
      return;
    default:  // what has failed does nothing until its own parent has decided
      return;
  }
}

void begin_own_round(Core& core, Cell& cell) {
  auto& round = cell.extras->round;
  round = std::make_unique<Round>(cell);
  round->step = Round::Step::starting;
  round->own_start = true;
  ++cell.exclusive;  // no message is handled before the start is through
  gather_children(cell);
  go_on(core, cell);
}

void end_round(Cell& cell) noexcept {
  if (!cell.extras || !cell.extras->round) return;
  if (cell.extras->round->own_start) {
    --cell.exclusive;
    cell.owner->schedule(cell);
  }
  cell.extras->round.reset();
  for (ChildRecord* record = cell.extras->children.first; record != nullptr; record = record->next) {
    record->in_round = false;
  }
}

void gather_children(Cell& cell) noexcept {
  for (ChildRecord* record = cell.extras->children.first; record != nullptr; record = record->next) {
    join(*record);
    if (record->extras) record->extras->attempt = 0;
  }
}

// ---- what others call ----

namespace {

ChildRecord& note(Core& here, Cell& parent, const SpawnPlan& plan) {
  auto* record = here.create<ChildRecord>();
  record->parent = &parent;
  record->child = plan.cell->address();
  record->restart = plan.options.restart;
  record->shutdown_milliseconds = static_cast<std::uint32_t>(std::clamp<std::int64_t>(
      std::chrono::ceil<std::chrono::milliseconds>(plan.options.shutdown).count(), 0, INT32_MAX));
  if (plan.cell->owner != &here && !plan.options.name.empty()) record->more().name = plan.options.name;
  return *record;
}

Start message_for(SpawnPlan& plan, Cell& parent, ChildRecord& record) {
  Start message{std::move(plan.body), plan.type, std::move(plan.options), parent.address(), &record};
  if (plan.cell->owner != parent.owner && !parent.is_root() && !message.options.name.empty()) {
    message.above = std::make_unique<const std::string>(path_of(parent));
  }
  return message;
}

}  // namespace

void spawn(Core& here, Cell& parent, SpawnPlan plan) {
  ChildRecord& record = note(here, parent, plan);
  record.ran_before = true;
  const Address child = record.child;
  const bool ending = is_on_its_way_out(parent);
  Start message = message_for(plan, parent, record);
  if (ending) {
    // Nobody would wait for this child or decide about it: it is stopped before its start, so it never runs.
    here.abandon(record);
    control::send(&here, child, Stop{StopReason::stopped});
  } else {
    parent.more().children.push(&record);
  }
  if (plan.cell->owner == &here && !ending) {
    message.apply(here, *plan.cell);
  } else {
    control::send(&here, child, std::move(message));
  }
}

void keep_children(Cell& parent) { parent.more().keeps_children = true; }

void declare(Core& here, Cell& parent, SpawnPlan plan) {
  INVARIANT(!is_on_its_way_out(parent) && !parent.has_started, "children are declared while their parent starts");
  ChildRecord& record = note(here, parent, plan);
  enter(record, ChildPhase::halted);
  keep_children(parent);
  parent.extras->children.push(&record);
  Start message = message_for(plan, parent, record);
  message.held = true;
  control::send(&here, record.child, std::move(message));
}

}  // namespace lifecycle

std::vector<ChildState> Fault::siblings() const {
  std::vector<ChildState> all;
  if (supervisor == nullptr || !supervisor->extras) return all;
  for (auto* record = supervisor->extras->children.first; record != nullptr; record = record->next) {
    all.push_back(lifecycle::state_of(*record));
  }
  return all;
}

namespace {

void restart_one(TimerNode& node) noexcept {
  ChildRecord& record = static_cast<ChildExtras&>(node).record;
  Cell& cell = *record.parent;
  // One that has not halted yet starts when it has.
  if (record.phase != ChildPhase::halted || lifecycle::is_on_its_way_out(cell)) return;
  lifecycle::start_child(*cell.owner, record, false);
}

void end_back_off(TimerNode& node) noexcept {
  auto& round = static_cast<Round&>(node);
  round.step = Round::Step::starting;
  lifecycle::go_on(*round.cell.owner, round.cell);
}

void stop_timed_out(TimerNode& node) noexcept {
  auto& timer = static_cast<StopTimer&>(node);
  Cell& cell = timer.cell;
  Core& core = *cell.owner;
  ChildRecord& late = timer.awaited;
  core.host().report(fmt::format("a child of {} did not stop in time and is left behind", lifecycle::path_of(cell)));
  if (late.phase == ChildPhase::halting) lifecycle::request_stop(&core, late.child);  // nobody would start it again
  cell.extras->children.remove(&late);
  core.abandon(late);
  cell.extras->stop_timer.reset();
  lifecycle::go_on(core, cell);
}

}  // namespace
}  // namespace troupe::actor
