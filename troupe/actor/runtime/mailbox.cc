// See mailbox.h.
#include "troupe/actor/runtime/mailbox.h"

#include "troupe/actor/runtime/forward.h"
#include "troupe/actor/runtime/mailbox_batch.h"
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
  if (envelope->handler->batch != nullptr && ledger_of(cell) == nullptr) [[unlikely]]
    open_ledger(cell);
  push(cell, envelope);
  if (ledger_of(cell) != nullptr) [[unlikely]]
    batch_grows(core, cell, *envelope);
  core.schedule(cell);
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
    waiter.send->activation->sending = nullptr;
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

/// Whether a `send` of this sender waits here already: what it tells meanwhile must not overtake it, nor join it.
bool is_sending(const Cell& cell, const Cell& sender) noexcept {
  if (!cell.extras) return false;
  for (const Waiter* at = cell.extras->waiters.first; at != nullptr; at = at->next) {
    if (at->send != nullptr && at->send->activation->cell == &sender) return true;
  }
  return false;
}

Sent park(Core& core, Cell& cell, Envelope* envelope) {
  Cell* sender = core.running_cell();
  if (sender == &cell) return refuse(core, cell, envelope, Drop::full);
  if (cell.extras && cell.extras->waiting >= waiters_max) return refuse(core, cell, envelope, Drop::full);
  const bool local = sender != nullptr && envelope->sender == id_of(*sender);
  if (local && (sender->more().parked >= parked_max || is_sending(cell, *sender)))
    return refuse(core, cell, envelope, Drop::full);
  const Instant until = std::min(core.now() + cell.more().block_for, envelope->deadline);
  Waiter& waiter = add_waiter(core, cell, envelope, until);
  if (local) {
    waiter.parked_for = sender;
    waiter.parked_generation = sender->address().generation;
    ++sender->extras->parked;
    sender->held |= hold_parked;
  }
  return Sent::sent;
}

Sent drop_oldest(Core& core, Cell& cell, Envelope* envelope) {
  if (const Ledger* ledger = ledger_of(cell); ledger != nullptr && ledger->bytes_max > 0) {
    // Nothing is evicted for a message that does not get in.
    if (ledger->control_bytes + bytes_of(*envelope) > ledger->bytes_max || ledger->control >= cell.capacity)
      return refuse(core, cell, envelope, Drop::newest);
  }
  while (!fits(cell, *envelope)) {
    Envelope* oldest = evict(cell);
    if (oldest == nullptr) return refuse(core, cell, envelope, Drop::newest);
    core.drop(oldest, &cell, Drop::oldest);
  }
  append(core, cell, envelope);
  return Sent::sent;
}

Sent overflow(Core& core, Cell& cell, Envelope* envelope) {
  // What nobody waits for any more takes nobody's place.
  if (envelope->deadline <= core.now()) return refuse(core, cell, envelope, Drop::expired);
  if (!ever_fits(cell, *envelope)) return refuse(core, cell, envelope, Drop::full);
  // Where the oldest makes room nobody waits for it: a tell would overtake a `send` that did.
  if (envelope->awaits_room != 0 &&
      cell.overflow != Overflow::drop_oldest) {  // a `send` from another core waits here, and is told when it got in
    if (cell.extras && cell.extras->waiting >= waiters_max) return refuse(core, cell, envelope, Drop::full);
    add_waiter(core, cell, envelope, envelope->deadline);
    return Sent::sent;
  }
  switch (cell.overflow) {
    case Overflow::drop_oldest:
      return drop_oldest(core, cell, envelope);
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

void admit_waiting(Core& core, Cell& cell) {
  while ((cell.held & hold_waiters) != 0) {
    Waiter& waiter = *cell.extras->waiters.first;
    // Control messages may stand above the bound; then there is no room yet.
    if (!fits(cell, *waiter.envelope)) return;
    append(core, cell, std::exchange(waiter.envelope, nullptr));
    settle(core, waiter, Sent::sent);
  }
}

Sent admit(Core& core, Cell& cell, Envelope* envelope) {
  if (!cell.is(envelope->generation)) [[unlikely]] {
    if (const Address now = core.moved_to(cell, envelope->generation)) {
      return forwarding::pass_on(core, envelope, now);
    }
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
  // Who comes now does not overtake who waits, though it may be smaller and fit where the other does not.
  if ((cell.held & hold_waiters) != 0 || !fits(cell, *envelope)) [[unlikely]] {
    if (forwarding::forwards(cell)) return forwarding::pass(core, cell, envelope);
    if (!is_control(*envelope)) return overflow(core, cell, envelope);
  }
  append(core, cell, envelope);
  return Sent::sent;
}

Envelope* take(Cell& cell) noexcept {
  Envelope* envelope = pop(cell);
  Core& core = *cell.owner;
  admit_waiting(core, cell);
  // A batch is looked at again when all of it has been taken.
  if (ledger_of(cell) != nullptr && envelope->handler->batch == nullptr) consider_batch(core, cell);
  return envelope;
}

Envelope* find(const Cell& cell, ReplyTo reply) noexcept {
  for (Envelope* at = cell.user.head; at != nullptr; at = at->next) {
    if (at->reply == reply) return at;
  }
  if ((cell.held & hold_waiters) == 0) return nullptr;
  for (const Waiter* at = cell.extras->waiters.first; at != nullptr; at = at->next) {
    if (at->envelope->reply == reply) return at->envelope;
  }
  return nullptr;
}

Envelope* take_out(Core& core, Cell& cell, ReplyTo reply) noexcept {
  Envelope* request = nullptr;
  Envelope* before = nullptr;
  for (Envelope* at = cell.user.head; at != nullptr && request == nullptr; before = at, at = at->next) {
    if (at->reply == reply) request = remove(cell, before, at);
  }
  if ((cell.held & hold_waiters) == 0) return request;
  for (Waiter* at = cell.extras->waiters.first; at != nullptr && request == nullptr; at = at->next) {
    if (at->envelope->reply != reply) continue;
    request = std::exchange(at->envelope, nullptr);
    settle(core, *at, Sent::full);
    break;
  }
  admit_waiting(core, cell);
  return request;
}

Envelope* take_stashed(Cell& cell, ReplyTo reply) noexcept {
  if (!cell.extras) return nullptr;
  Envelope* found = nullptr;
  EnvelopeList stash = cell.extras->stash.take();
  while (Envelope* envelope = stash.pop()) {
    if (envelope->reply == reply) {
      found = envelope;
      --cell.extras->stashed;
    } else {
      cell.extras->stash.push(envelope);
    }
  }
  return found;
}

std::optional<Sent> send(Core& core, Cell& cell, Envelope* envelope, SendState& state, Instant deadline) {
  const bool may_wait = cell.is(envelope->generation) && cell.state != CellState::stopping &&
                        cell.overflow != Overflow::drop_oldest && &cell != core.running_cell() &&
                        ever_fits(cell, *envelope);
  if (!may_wait || ((cell.held & hold_waiters) == 0 && fits(cell, *envelope))) return admit(core, cell, envelope);
  if (cell.extras && cell.extras->waiting >= waiters_max) return refuse(core, cell, envelope, Drop::full);
  Waiter& waiter = add_waiter(core, cell, envelope, deadline);
  waiter.send = &state;
  state.waiter = &waiter;
  state.activation->sending = &state;
  return std::nullopt;
}

void append_last(Core& core, Cell& cell, Envelope* envelope) {
  if (cell.extras && cell.extras->waiters.first != nullptr) {
    add_waiter(core, cell, envelope, Instant::never());
  } else {
    append(core, cell, envelope);
  }
}

void admit_all(Core& core, Cell& cell) {
  while (cell.extras && cell.extras->waiters.first != nullptr) {
    Waiter& waiter = *cell.extras->waiters.first;
    append(core, cell, std::exchange(waiter.envelope, nullptr));
    settle(core, waiter, Sent::sent);
  }
}

void give_up(Waiter& waiter) noexcept {
  waiter.send->activation->sending = nullptr;
  waiter.send = nullptr;
  Core& core = *waiter.target->owner;
  core.drop(waiter.envelope, waiter.target, Drop::stopped);
  Cell& cell = *waiter.target;
  settle(core, waiter, Sent::dead);
  admit_waiting(core, cell);  // what waited behind it may be smaller
}

void stash(Cell& cell, Envelope* envelope) noexcept {
  cell.extras->stash.push(envelope);
  ++cell.extras->stashed;
}

void unstash_all(Core& core, Cell& cell) noexcept {
  if (!cell.extras || cell.extras->stashed == 0) return;
  EnvelopeList last_first;
  while (Envelope* envelope = cell.extras->stash.pop()) last_first.push_front(envelope);
  cell.extras->stashed = 0;
  while (Envelope* envelope = last_first.pop()) push_front(cell, envelope);
  if (ledger_of(cell) != nullptr) consider_batch(core, cell);
  core.schedule(cell);
}

void clear(Core& core, Cell& cell, Drop reason) noexcept {
  forwarding::clear(core, cell, reason);
  while (!cell.user.empty()) core.drop(pop(cell), &cell, reason);
  while (cell.extras && !cell.extras->stash.empty()) core.drop(cell.extras->stash.pop(), &cell, reason);
  if (cell.extras) cell.extras->stashed = 0;
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
  Cell& cell = *waiter.target;
  const bool expired = waiter.envelope->awaits_room == 0 && waiter.envelope->deadline <= core.now();
  core.drop(waiter.envelope, &cell, expired ? Drop::expired : Drop::park_expired);
  mailbox::settle(core, waiter, Sent::full);
  mailbox::admit_waiting(core, cell);  // what waited behind it may be smaller
}

}  // namespace
}  // namespace troupe::actor
