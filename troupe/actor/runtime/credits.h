// Credits: how a mailbox that drops nothing is kept within its bound though other cores cannot see how full it is.
//
// A credit is a reserved place: depth and credits together never exceed the capacity. The owner
// offers credits in the cell's Tenancy; a core that sends takes some, spends one a message, and
// gives back what it leaves unused (credit_book.h). An actor of the owner's core that needs the
// room takes back what is offered and not yet taken. Where all are gone, who must wait asks the
// owner, and is served among all who wait for room, first come first. Where a mailbox bounds
// bytes, a credit stands for a share of them too, and a message costs as many as it weighs.
// The functions here run on the cell's core unless they say otherwise.
#pragma once

#include "troupe/actor/runtime/mailbox_queue.h"

namespace troupe::actor::credits {

/// How many bytes a credit stands for (Passage::unit); the unit is not 0.
constexpr std::size_t unit_bytes(std::uint8_t unit) noexcept { return std::size_t{64} << 2 * (unit - 1); }

/// How many credits a message costs. Any thread.
inline std::uint32_t price(const Passage& passage, const Envelope& envelope) noexcept {
  if (passage.unit == 0) return 1;
  const std::size_t unit = unit_bytes(passage.unit);
  const std::size_t units = (mailbox::bytes_of(envelope) + unit - 1) / unit;
  return static_cast<std::uint32_t>(std::clamp<std::size_t>(units, 1, UINT32_MAX));
}

/// A new tenant's mailbox begins to offer; on whichever thread furnishes the cell. A tenant that comes from another
/// core brings so many messages, so many bytes, whose places are lent to it until then.
void open(Cell& cell, std::uint32_t messages = 0, std::size_t bytes = 0) noexcept;
/// It ends: what comes from now on finds it stopping.
void close(Cell& cell) noexcept;
/// A message has come on credit: its place is its own now.
void redeem(Cell& cell, const Envelope& envelope) noexcept;
/// Offers of the room that there is, if little is offered.
void replenish(Cell& cell) noexcept;
/// A message was taken out: the same, when there is room for more than a few.
inline void room_made(Cell& cell) noexcept {
  const std::uint64_t taken = std::uint64_t{cell.depth} + cell.lent;
  if ((cell.held & hold_offer) != 0 && taken + std::max(1u, cell.capacity / 8) <= cell.capacity) replenish(cell);
}
/// Takes back offers until the message fits. False: they do not suffice.
bool make_room(Cell& cell, const Envelope& envelope) noexcept;
/// Takes back all that is offered, for those who wait.
void take_back_all(Cell& cell) noexcept;
/// Credits that were given back, or could not be used.
void return_to(Core& core, Cell& cell, std::uint32_t n);

/// Who waits at a mailbox for credits in place of room for a message.
class Claimant {
 public:
  virtual ~Claimant() = default;
  /// It has them now.
  virtual void grant(Core& core, Cell& cell, std::uint32_t n) = 0;
  /// It gets no more: there was no room in time (`full`), or the actor has stopped (`dead`).
  virtual void refuse(Core& core, Cell& cell, Sent why) = 0;
  /// The mailbox moves to another core: what waits follows it as it is, without credits.
  virtual void release(Core& core, Cell& cell) = 0;
};
/// How many credits he who waits gets now: as many as he wants, or enough to be worth a message; lent at once.
std::uint32_t lend(Cell& cell, std::uint32_t wanted) noexcept;

/// Asks the owner on behalf of a core; any core. It answers with Granted, at once and whenever there is room.
void ask(Core& here, Address mailbox, std::uint32_t amount);
void give_back(Core* here, Address mailbox, std::uint32_t n);

/// A foreign thread hands its message to a mailbox that blocks: it waits for a place if it must. On that thread.
Sent submit_from_outside(Core& to, Envelope* envelope);

}  // namespace troupe::actor::credits
