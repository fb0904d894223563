// See mailbox.h.
#include "troupe/actor/runtime/mailbox.h"

#include "troupe/base/check.h"

namespace troupe::actor {

namespace {
void expire(TimerNode& node) noexcept;
}

Waiter::Waiter() : TimerNode(expire) {}

namespace mailbox {
namespace {

constexpr std::uint32_t waiters_max = 1000;  // outside one mailbox
constexpr std::uint32_t parked_max = 1000;   // of one sender

bool is_control(const Envelope& envelope) { return envelope.handler->message_class == MessageClass::control; }

void append(Core& core, Cell& cell, Envelope* envelope) noexcept {
  if (envelope->awaits_room != 0) {
    envelope->awaits_room = 0;
    envelope->deadline = Instant::never();  // of the wait for room, which is over; the message itself does not expire
    core.fail_ask(std::exchange(envelope->reply, {}), Outcome::answered, {});
  }
  if (envelope->handler->message_class == MessageClass::sheddable) ++cell.sheddable;
  ++cell.depth;
  cell.user.push(envelope);
  core.schedule(cell);
}

/// The oldest sheddable message, else the oldest normal one; control stays.
Envelope* evict(Cell& cell) noexcept {
  Envelope* before = nullptr;
  for (Envelope* at = cell.user.head; at != nullptr; before = at, at = at->next) {
    const auto kind = at->handler->message_class;
    if (kind == MessageClass::control || (cell.sheddable > 0 && kind != MessageClass::sheddable)) continue;
    (before != nullptr ? before->next : cell.user.head) = at->next;
    if (cell.user.tail == at) cell.user.tail = before;
    --cell.depth;
    if (kind == MessageClass::sheddable) --cell.sheddable;
    return at;
  }
  return nullptr;
}

Waiter& add_waiter(Core& core, Cell& cell, Envelope* envelope, Instant deadline) {
  auto* waiter = core.create<Waiter>();
  waiter->target = &cell;
  waiter->envelope = envelope;
  cell.more().waiters.push(waiter);
  ++cell.extras->waiting;
  cell.held |= hold_waiters;
  if (deadline != Instant::never()) core.timers().arm(*waiter, deadline);
  return *waiter;
}

/// Tells whoever stands behind the waiter what became of its message, and forgets the waiter.
void settle(Core& core, Waiter& waiter, Sent result) noexcept {
  CellExtras& extras = *waiter.target->extras;
  extras.waiters.remove(&waiter);
  if (--extras.waiting == 0) waiter.target->held &= static_cast<std::uint8_t>(~hold_waiters);
  if (waiter.send != nullptr) {
    waiter.send->waiter = nullptr;
    waiter.send->result = result;
    core.make_ready(*waiter.send->activation);
  }
  if (Cell* sender = waiter.parked_for; sender != nullptr && sender->is(waiter.parked_generation)) {
    if (--sender->more().parked == 0) {
      sender->held &= static_cast<std::uint8_t>(~hold_parked);
      core.schedule(*sender);
    }
  }
  core.dispose(&waiter);
}

Sent refuse(Core& core, Cell& cell, Envelope* envelope, Drop reason) noexcept {
  core.drop(envelope, &cell, reason);
  return Sent::full;
}

Sent park(Core& core, Cell& cell, Envelope* envelope) {
  Cell* sender = core.running_cell();
  if (sender == &cell) return refuse(core, cell, envelope, Drop::full);
  if (cell.extras && cell.extras->waiting >= waiters_max) return refuse(core, cell, envelope, Drop::full);
  const bool local = sender != nullptr && envelope->sender == id_of(*sender);
  if (local && sender->more().parked >= parked_max) return refuse(core, cell, envelope, Drop::full);
  Waiter& waiter = add_waiter(core, cell, envelope, core.now() + cell.more().block_for);
  if (local) {
    waiter.parked_for = sender;
    waiter.parked_generation = sender->address().generation;
    ++sender->extras->parked;
    sender->held |= hold_parked;
  }
  return Sent::sent;
}

Sent overflow(Core& core, Cell& cell, Envelope* envelope) {
  // Where the oldest makes room nobody waits for it: a tell would overtake a `send` that did.
  if (envelope->awaits_room != 0 &&
      cell.overflow != Overflow::drop_oldest) {  // a `send` from another core waits here, and is told when it got in
    if (cell.extras && cell.extras->waiting >= waiters_max) return refuse(core, cell, envelope, Drop::full);
    add_waiter(core, cell, envelope, envelope->deadline);
    return Sent::sent;
  }
  switch (cell.overflow) {
    case Overflow::drop_oldest:
      if (Envelope* oldest = evict(cell)) {
        core.drop(oldest, &cell, Drop::oldest);
        append(core, cell, envelope);
        return Sent::sent;
      }
      return refuse(core, cell, envelope, Drop::newest);
    case Overflow::drop_newest:
      return refuse(core, cell, envelope, Drop::newest);
    case Overflow::block:
      return park(core, cell, envelope);
    case Overflow::backpressure:
      return refuse(core, cell, envelope, Drop::full);
  }
  INVARIANT(false, "an overflow policy without a meaning");
}

}  // namespace

Sent admit(Core& core, Cell& cell, Envelope* envelope) {
  if (!cell.is(envelope->generation)) [[unlikely]] {
    core.drop(envelope, nullptr, Drop::dead);
    return Sent::dead;
  }
  if (envelope->handler->runtime) {
    cell.control.push(envelope);
    core.schedule(cell);
    return Sent::sent;
  }
  if (cell.state == CellState::stopping) [[unlikely]] {
    core.drop(envelope, &cell, Drop::stopped);
    return Sent::dead;
  }
  if (cell.depth >= cell.capacity && !is_control(*envelope)) [[unlikely]]
    return overflow(core, cell, envelope);
  append(core, cell, envelope);
  return Sent::sent;
}

Envelope* take(Cell& cell) noexcept {
  Envelope* envelope = cell.user.pop();
  --cell.depth;
  if (envelope->handler->message_class == MessageClass::sheddable) --cell.sheddable;
  // Control messages may stand above the bound; then there is no room yet.
  if ((cell.held & hold_waiters) != 0 && cell.depth < cell.capacity) [[unlikely]] {
    Waiter& waiter = *cell.extras->waiters.first;
    Core& core = *cell.owner;
    append(core, cell, std::exchange(waiter.envelope, nullptr));
    settle(core, waiter, Sent::sent);
  }
  return envelope;
}

void wait_for_room(Core& core, Cell& cell, Envelope* envelope, SendState& state, Instant deadline) {
  Waiter& waiter = add_waiter(core, cell, envelope, deadline);
  waiter.send = &state;
  state.waiter = &waiter;
}

void give_up(Waiter& waiter) noexcept {
  waiter.send = nullptr;
  Core& core = *waiter.target->owner;
  core.drop(waiter.envelope, waiter.target, Drop::stopped);
  settle(core, waiter, Sent::dead);
}

void clear(Core& core, Cell& cell, Drop reason) noexcept {
  while (Envelope* envelope = cell.user.pop()) core.drop(envelope, &cell, reason);
  cell.depth = 0;
  cell.sheddable = 0;
  while (cell.extras && cell.extras->waiters.first != nullptr) {
    Waiter& waiter = *cell.extras->waiters.first;
    core.drop(waiter.envelope, &cell, reason);
    settle(core, waiter, Sent::dead);
  }
}

}  // namespace mailbox

namespace {

void expire(TimerNode& node) noexcept {
  auto& waiter = static_cast<Waiter&>(node);
  Core& core = *waiter.target->owner;
  core.drop(waiter.envelope, waiter.target, Drop::park_expired);
  mailbox::settle(core, waiter, Sent::full);
}

}  // namespace
}  // namespace troupe::actor
