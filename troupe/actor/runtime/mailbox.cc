// See mailbox.h.
#include "troupe/actor/runtime/mailbox.h"

#include "troupe/actor/runtime/credits.h"
#include "troupe/actor/runtime/forward.h"
#include "troupe/actor/runtime/mailbox_batch.h"
#include "troupe/base/check.h"

namespace troupe::actor {

namespace {
void expire(TimerNode& node) noexcept;
}

Waiter::Waiter() : TimerNode(expire) {}
Waiter::~Waiter() = default;

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

Waiter& add_waiter(Core& core, Cell& cell, credits::Desk* desk, Envelope* envelope, Instant deadline) {
  auto* waiter = core.create<Waiter>();
  waiter->target = &cell;
  waiter->envelope = envelope;
  waiter->desk = desk;
  waiter->since = core.now();
  if (desk != nullptr) {
    desk->waiters.push(waiter);
    ++desk->waiting;
  } else {
    cell.more().waiters.push(waiter);
    ++cell.extras->waiting;
    cell.held |= hold_waiters;
    cell.quick = 0;  // who waits is not overtaken
    credits::take_back_all(cell);
  }
  if (deadline != Instant::never()) core.timers().arm(*waiter, deadline);
  return *waiter;
}

void leave_list(Waiter& waiter) noexcept {
  if (credits::Desk* desk = waiter.desk) {
    desk->waiters.remove(&waiter);
    --desk->waiting;
    return;
  }
  Cell& cell = *waiter.target;
  cell.extras->waiters.remove(&waiter);
  if (--cell.extras->waiting > 0) return;
  cell.held &= static_cast<std::uint8_t>(~hold_waiters);
  cell.quick = quick_for(cell);
  credits::replenish(cell);
}

/// The core at which it waits.
Core& core_of(const Waiter& waiter) noexcept {
  return waiter.desk != nullptr ? *waiter.desk->core : *waiter.target->owner;
}
const NodeList<Waiter>* list_of(Cell& cell, credits::Desk* desk) noexcept {
  if (desk != nullptr) return &desk->waiters;
  return cell.extras ? &cell.extras->waiters : nullptr;
}

/// Tells whoever stands behind the waiter what became of its message, and forgets the waiter.
void settle(Core& core, Waiter& waiter, Sent result) noexcept {
  leave_list(waiter);
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

/// Whether a `send` of this sender waits there already: what it tells meanwhile must not overtake it, nor join it.
bool is_sending(const NodeList<Waiter>* list, const Cell& sender) noexcept {
  for (const Waiter* at = list != nullptr ? list->first : nullptr; at != nullptr; at = at->next) {
    if (at->send != nullptr && at->send->activation->cell == &sender) return true;
  }
  return false;
}

std::uint32_t waiting_at(const Cell& cell, const credits::Desk* desk) noexcept {
  if (desk != nullptr) return desk->waiting;
  return cell.extras ? cell.extras->waiting : 0;
}

Sent park(Core& core, Cell& cell, credits::Desk* desk, Envelope* envelope) {
  Cell* sender = core.running_cell();
  const bool local = sender != nullptr && envelope->sender == id_of(*sender);
  const bool refused = sender == &cell || waiting_at(cell, desk) >= waiters_max ||
                       (local && (sender->more().parked >= parked_max || is_sending(list_of(cell, desk), *sender)));
  if (refused) {
    core.drop(envelope, desk != nullptr ? nullptr : &cell, Drop::full);
    return Sent::full;
  }
  const Duration length = desk != nullptr ? desk->block_for : cell.more().block_for;
  Waiter& waiter = add_waiter(core, cell, desk, envelope, std::min(core.now() + length, envelope->deadline));
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
    if (waiting_at(cell, nullptr) >= waiters_max) return refuse(core, cell, envelope, Drop::full);
    add_waiter(core, cell, nullptr, envelope, envelope->deadline);
    return Sent::sent;
  }
  switch (cell.overflow) {
    case Overflow::drop_oldest:
      return drop_oldest(core, cell, envelope);
    case Overflow::drop_newest:
      return refuse(core, cell, envelope, Drop::newest);
    case Overflow::block:
      return park(core, cell, nullptr, envelope);
    case Overflow::backpressure:
      return refuse(core, cell, envelope, Drop::full);
  }
  INVARIANT(false, "an overflow policy without a meaning");
}

/// Whether who comes now gets in at once. He does not overtake who waits, though he may be smaller and fit where the
/// other does not.
bool has_room(Cell& cell, const Envelope& envelope) noexcept {
  return (cell.held & hold_waiters) == 0 && (fits(cell, envelope) || credits::make_room(cell, envelope));
}

/// Credits for the first who waits for some. False: he still waits.
bool grant(Core& core, Cell& cell, Waiter& waiter) {
  const std::uint32_t n = credits::lend(cell, waiter.wanted);
  if (n == 0) return false;
  waiter.wanted -= n;
  waiter.claimant->grant(core, cell, n);
  if (waiter.wanted > 0) return false;
  settle(core, waiter, Sent::sent);
  return true;
}

/// What waits ends: its message is dropped, or its claim refused.
void dismiss(Core& core, Waiter& waiter, Drop reason, Sent result) noexcept {
  if (waiter.claimant) {
    waiter.claimant->refuse(core, *waiter.target, result);
  } else {
    core.drop(std::exchange(waiter.envelope, nullptr), waiter.desk != nullptr ? nullptr : waiter.target, reason);
  }
  settle(core, waiter, result);
}

}  // namespace

void admit_waiting(Core& core, Cell& cell) {
  while ((cell.held & hold_waiters) != 0) {
    Waiter& waiter = *cell.extras->waiters.first;
    if (waiter.claimant) {
      if (!grant(core, cell, waiter)) return;
      continue;
    }
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
    if (core.is_torn_down()) [[unlikely]] {
      core.destroy(envelope);
      return Sent::dead;
    }
    cell.control.push(envelope);
    core.hurry(cell);
    return Sent::sent;
  }
  if (cell.state == CellState::stopping) [[unlikely]] {
    core.drop(envelope, &cell, Drop::stopped);
    return Sent::dead;
  }
  if (!has_room(cell, *envelope)) [[unlikely]] {
    if (forwarding::forwards(cell)) return forwarding::pass(core, cell, envelope);
    if (!is_control(*envelope)) return overflow(core, cell, envelope);
  }
  append(core, cell, envelope);
  return Sent::sent;
}

void admit_on_credit(Core& core, Cell& cell, Envelope* envelope) {
  envelope->on_credit = 0;
  if (!cell.is(envelope->generation)) {
    admit(core, cell, envelope);  // the place was lost with the tenant, who has ended or moved
    return;
  }
  credits::redeem(cell, *envelope);
  if (cell.state == CellState::stopping) {
    core.drop(envelope, &cell, Drop::stopped);
    return;
  }
  append(core, cell, envelope);
  credits::replenish(cell);
}

void wait_for_credits(Core& core, Cell& cell, std::unique_ptr<credits::Claimant> claimant, std::uint32_t amount,
                      Instant until) {
  Waiter& waiter = add_waiter(core, cell, nullptr, nullptr, until);
  waiter.claimant = std::move(claimant);
  waiter.wanted = amount;
  admit_waiting(core, cell);
}

Sent park_at(credits::Desk& desk, Envelope* envelope) { return park(*desk.core, *desk.mailbox.cell, &desk, envelope); }

bool wait_at(credits::Desk& desk, Envelope* envelope, SendState& state, Instant deadline) {
  if (desk.waiting >= waiters_max) return false;
  Waiter& waiter = add_waiter(*desk.core, *desk.mailbox.cell, &desk, envelope, deadline);
  waiter.send = &state;
  state.waiter = &waiter;
  state.activation->sending = &state;
  return true;
}

void wait_no_longer_than(credits::Desk& desk, Duration length) {
  desk.block_for = length;
  for (Waiter* at = desk.waiters.first; at != nullptr; at = at->next) {
    if (at->send == nullptr) desk.core->timers().arm(*at, std::min(at->since + length, at->envelope->deadline));
  }
}

void leave_desk(Waiter& waiter, std::optional<Drop> dropped, bool on_credit) noexcept {
  Core& core = *waiter.desk->core;
  Envelope* envelope = std::exchange(waiter.envelope, nullptr);
  if (dropped) {
    core.drop(envelope, nullptr, *dropped);
  } else {
    envelope->on_credit = on_credit ? 1 : 0;
    core.to_lane_paid(*envelope->target->owner, envelope);
  }
  settle(core, waiter, dropped ? Sent::dead : Sent::sent);
}

Envelope* take(Cell& cell) noexcept {
  Envelope* envelope = pop(cell);
  Core& core = *cell.owner;
  admit_waiting(core, cell);
  credits::room_made(cell);
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
    if (at->envelope != nullptr && at->envelope->reply == reply) return at->envelope;
  }
  return nullptr;
}

Envelope* take_out(Core& core, Cell& cell, ReplyTo reply) noexcept {
  Envelope* request = nullptr;
  Envelope* before = nullptr;
  for (Envelope* at = cell.user.head; at != nullptr && request == nullptr; before = at, at = at->next) {
    if (at->reply == reply) request = remove(cell, before, at);
  }
  if ((cell.held & hold_waiters) == 0) {
    if (request != nullptr) credits::room_made(cell);
    return request;
  }
  for (Waiter* at = cell.extras->waiters.first; at != nullptr && request == nullptr; at = at->next) {
    if (at->envelope == nullptr || at->envelope->reply != reply) continue;
    request = std::exchange(at->envelope, nullptr);
    settle(core, *at, Sent::full);
    break;
  }
  admit_waiting(core, cell);
  credits::room_made(cell);
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
  if (!may_wait || has_room(cell, *envelope)) return admit(core, cell, envelope);
  if (waiting_at(cell, nullptr) >= waiters_max) return refuse(core, cell, envelope, Drop::full);
  Waiter& waiter = add_waiter(core, cell, nullptr, envelope, deadline);
  waiter.send = &state;
  state.waiter = &waiter;
  state.activation->sending = &state;
  return std::nullopt;
}

void append_last(Core& core, Cell& cell, Envelope* envelope) {
  if (cell.extras && cell.extras->waiters.first != nullptr) {
    add_waiter(core, cell, nullptr, envelope, Instant::never());
  } else {
    append(core, cell, envelope);
  }
}

void admit_all(Core& core, Cell& cell) {
  while (cell.extras && cell.extras->waiters.first != nullptr) {
    Waiter& waiter = *cell.extras->waiters.first;
    if (waiter.claimant) {
      waiter.claimant->release(core, cell);
      settle(core, waiter, Sent::sent);
      continue;
    }
    append(core, cell, std::exchange(waiter.envelope, nullptr));
    settle(core, waiter, Sent::sent);
  }
}

void give_up(Waiter& waiter) noexcept {
  waiter.send->activation->sending = nullptr;
  waiter.send = nullptr;
  end_wait(waiter, Drop::stopped, Sent::dead);
}

void end_wait(Waiter& waiter, Drop reason, Sent result) noexcept {
  Core& core = core_of(waiter);
  Cell& cell = *waiter.target;
  credits::Desk* desk = waiter.desk;
  dismiss(core, waiter, reason, result);
  if (desk != nullptr) {
    core.credits().left(*desk);
  } else {
    admit_waiting(core, cell);  // what waited behind it may be smaller
  }
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
    dismiss(core, *cell.extras->waiters.first, reason, Sent::dead);
  }
}

}  // namespace mailbox

namespace {

void expire(TimerNode& node) noexcept {
  auto& waiter = static_cast<Waiter&>(node);
  const Envelope* envelope = waiter.envelope;
  const bool expired =
      envelope != nullptr && envelope->awaits_room == 0 && envelope->deadline <= mailbox::core_of(waiter).now();
  mailbox::end_wait(waiter, expired ? Drop::expired : Drop::park_expired, Sent::full);
}

}  // namespace
}  // namespace troupe::actor
