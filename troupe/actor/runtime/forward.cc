// See forward.h.
#include "troupe/actor/runtime/forward.h"

#include "troupe/actor/runtime/asking.h"
#include "troupe/actor/runtime/lifecycle.h"
#include "troupe/actor/runtime/mailbox.h"

namespace troupe::actor::forwarding {
namespace {

Forwarding& forwarding_of(Cell& cell) {
  auto& extras = cell.more();
  if (!extras.forwarding) extras.forwarding = std::make_shared<Forwarding>();
  return *extras.forwarding;
}

Sent take(Core& core, Cell& cell, Forwarder& to, Envelope* envelope) {
  if (!lifecycle::is_drain(*envelope)) [[likely]]
    return to.forward(core, cell, envelope);
  core.destroy(envelope);
  to.drain(core, cell);
  return Sent::sent;
}

bool is_ready(const Cell& cell) noexcept {
  return of(cell) != nullptr && cell.state != CellState::restarting && cell.state != CellState::starting;
}

}  // namespace

Forwarder* of(const Cell& cell) noexcept {
  return cell.extras && cell.extras->forwarding ? cell.extras->forwarding->to : nullptr;
}

Sent pass(Core& core, Cell& cell, Envelope* envelope) {
  if (is_ready(cell)) {
    ++cell.handled;
    cell.last_activity = core.now();
    core.stats(*cell.type).handled.add();
    return take(core, cell, *of(cell), envelope);
  }
  Forwarding& state = forwarding_of(cell);
  // An actor whose mailbox has no room at all, and that has started, takes nothing but control messages.
  if (cell.state == CellState::running && may_hold(*envelope, 0, 0)) {
    mailbox::append_last(core, cell, envelope);
    return Sent::sent;
  }
  if (cell.state == CellState::running || !may_hold(*envelope, state.held_count)) {
    core.drop(envelope, &cell, Drop::full);
    return Sent::full;
  }
  state.held.push(envelope);
  ++state.held_count;
  return Sent::sent;
}

void open(Core& core, Cell& cell, Forwarder& to) {
  Forwarding& state = forwarding_of(cell);
  state.to = &to;
  state.held_count = 0;
  EnvelopeList held = state.held.take();
  while (Envelope* envelope = held.pop()) take(core, cell, to, envelope);
}

void has_started(Core& core, Cell& cell) {
  if (!cell.extras || !cell.extras->forwarding || of(cell) != nullptr) return;
  Forwarding& state = *cell.extras->forwarding;
  state.held_count = 0;
  EnvelopeList held = state.held.take();
  while (Envelope* envelope = held.pop()) pass(core, cell, envelope);
}

void close(Cell& cell) noexcept {
  if (cell.extras && cell.extras->forwarding) cell.extras->forwarding->to = nullptr;
}

void stays_drained(Cell& cell) {
  if (cell.state == CellState::restarting && !cell.owner->is_torn_down()) lifecycle::has_drained(cell);
}

void clear(Core& core, Cell& cell, Drop reason) noexcept {
  if (!cell.extras || !cell.extras->forwarding) return;
  Forwarding& state = *cell.extras->forwarding;
  while (Envelope* envelope = state.held.pop()) core.drop(envelope, &cell, reason);
  state.held_count = 0;
}

Sent pass_on(Core& core, Envelope* envelope, Address to) {
  envelope->target = to.cell;
  envelope->generation = to.generation;
  Core& there = *to.cell->owner;
  if (!asking::moved(core, envelope->reply, to)) [[unlikely]] {  // it was held, and its asker has gone meanwhile
    envelope->reply = {};
    core.drop(envelope, nullptr, Drop::unwanted);
    return Sent::dead;
  }
  return Core::submit(&core, there, envelope);
}

}  // namespace troupe::actor::forwarding
