// See mailbox_queue.h.
#include "troupe/actor/runtime/mailbox_queue.h"

#include "troupe/actor/runtime/credits.h"
#include "troupe/actor/runtime/mailbox_batch.h"

namespace troupe::actor::mailbox {
namespace {

MessageClass class_of(const Envelope& envelope) noexcept { return envelope.handler->message_class; }

Priority priority_of(const Ledger& ledger, const Envelope& envelope) noexcept {
  if (!ledger.priorities) return Priority::normal;
  const Handler& handler = *envelope.handler;
  return handler.priority_of != nullptr ? handler.priority_of(envelope) : handler.priority;
}

std::size_t level_of(const Envelope& envelope) noexcept { return static_cast<std::size_t>(envelope.priority); }

/// The last message that is handled before those of a priority.
Envelope* last_above(const Ledger& ledger, std::size_t level) noexcept {
  while (++level < priority_levels) {
    if (ledger.sections[level].last != nullptr) return ledger.sections[level].last;
  }
  return nullptr;
}

void note(Ledger& ledger, const Envelope& envelope, std::int32_t by) noexcept {
  auto& section = ledger.sections[level_of(envelope)];
  const auto weight = static_cast<std::size_t>(by) * bytes_of(envelope);  // modulo 2^64, so that -1 takes away
  const auto one = static_cast<std::uint32_t>(by);
  ledger.bytes += weight;
  switch (class_of(envelope)) {
    case MessageClass::control:
      ledger.control += one;
      ledger.control_bytes += weight;
      return;
    case MessageClass::normal:
      section.normal += one;
      return;
    case MessageClass::sheddable:
      section.sheddable += one;
  }
}

void insert_after(EnvelopeList& list, Envelope* before, Envelope* envelope) noexcept {
  if (before == nullptr) {
    list.push_front(envelope);
    return;
  }
  envelope->next = std::exchange(before->next, envelope);
  if (list.tail == before) list.tail = envelope;
}

void enter(Cell& cell, Ledger& ledger, Envelope* envelope, bool in_front) noexcept {
  envelope->priority = priority_of(ledger, *envelope);
  auto& section = ledger.sections[level_of(*envelope)];
  const bool first = section.last == nullptr;
  insert_after(cell.user, first || in_front ? last_above(ledger, level_of(*envelope)) : section.last, envelope);
  if (first || !in_front) section.last = envelope;
  note(ledger, *envelope, 1);
}

/// The first of a kind in one section of the queue.
Envelope* evict_from(Cell& cell, Envelope* before, MessageClass kind) noexcept {
  for (Envelope* at = before != nullptr ? before->next : cell.user.head; at != nullptr; before = at, at = at->next) {
    if (class_of(*at) == kind) return remove(cell, before, at);
  }
  return nullptr;
}

}  // namespace

Ledger& open_ledger(Cell& cell) {
  auto& ledger = cell.more().ledger;
  if (ledger) return *ledger;
  ledger = std::make_unique<Ledger>();
  cell.held |= hold_ledger;
  cell.quick = 0;
  for (Envelope* at = cell.user.head; at != nullptr; at = at->next) {
    at->priority = Priority::normal;
    note(*ledger, *at, 1);
  }
  ledger->sections[static_cast<std::size_t>(Priority::normal)].last = cell.user.tail;
  return *ledger;
}

bool fits(Cell& cell, const Envelope& envelope) noexcept {
  if (std::uint64_t{cell.depth} + cell.lent >= cell.capacity) return false;
  const Ledger* ledger = ledger_of(cell);
  if (ledger == nullptr || ledger->bytes_max == 0) return true;
  const std::size_t lent = ledger->credit_unit > 0 ? cell.lent * credits::unit_bytes(ledger->credit_unit) : 0;
  return ledger->bytes + lent + bytes_of(envelope) <= ledger->bytes_max;
}

bool ever_fits(Cell& cell, const Envelope& envelope) noexcept {
  const Ledger* ledger = ledger_of(cell);
  return ledger == nullptr || ledger->bytes_max == 0 || bytes_of(envelope) <= ledger->bytes_max;
}

void push(Cell& cell, Envelope* envelope) noexcept {
  ++cell.depth;
  if (Ledger* ledger = ledger_of(cell)) {
    enter(cell, *ledger, envelope, false);
    return;
  }
  if (class_of(*envelope) == MessageClass::sheddable) ++cell.sheddable;
  cell.user.push(envelope);
}

void push_front(Cell& cell, Envelope* envelope) noexcept {
  ++cell.depth;
  if (Ledger* ledger = ledger_of(cell)) {
    enter(cell, *ledger, envelope, true);
    return;
  }
  if (class_of(*envelope) == MessageClass::sheddable) ++cell.sheddable;
  cell.user.push_front(envelope);
}

Envelope* pop(Cell& cell) noexcept { return remove(cell, nullptr, cell.user.head); }

Envelope* remove(Cell& cell, Envelope* before, Envelope* at) noexcept {
  (before != nullptr ? before->next : cell.user.head) = at->next;
  if (cell.user.tail == at) cell.user.tail = before;
  --cell.depth;
  if (Ledger* ledger = ledger_of(cell)) {
    auto& section = ledger->sections[level_of(*at)];
    if (section.last == at) section.last = before != nullptr && before->priority == at->priority ? before : nullptr;
    note(*ledger, *at, -1);
    if ((cell.held & hold_batch) != 0 && --ledger->batch->run == 0) release_batch(cell);
  } else if (class_of(*at) == MessageClass::sheddable) {
    --cell.sheddable;
  }
  return at;
}

Envelope* evict(Cell& cell) noexcept {
  const Ledger* ledger = ledger_of(cell);
  if (ledger == nullptr)
    return evict_from(cell, nullptr, cell.sheddable > 0 ? MessageClass::sheddable : MessageClass::normal);
  for (std::size_t level = 0; level < priority_levels; ++level) {
    if (ledger->sections[level].sheddable > 0)
      return evict_from(cell, last_above(*ledger, level), MessageClass::sheddable);
  }
  for (std::size_t level = 0; level < priority_levels; ++level) {
    if (ledger->sections[level].normal > 0) return evict_from(cell, last_above(*ledger, level), MessageClass::normal);
  }
  return nullptr;
}

}  // namespace troupe::actor::mailbox
