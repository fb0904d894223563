// CreditBook: what one core may still send to mailboxes of other cores, and what is parked for want of it.
//
// Owned by its core, used on its thread. An account is a place in a small table, found by the cell's number: a
// mailbox that was not used lately loses it to another, and its credits go home. They also go home when they have
// not been used for a few milliseconds. What a handler tells a full mailbox that blocks waits at a desk here, and
// with it that sender's next user message; so does a `send` to any that needs credits. They wait until the owner
// grants some or their time is over, first come first, and nothing that comes later overtakes them.
#pragma once

#include <array>
#include <map>
#include <optional>

#include "troupe/actor/runtime/core.h"

namespace troupe::actor {

namespace credits {

/// What the owner of a mailbox answers to a core that wants credits.
struct Grant {
  std::uint32_t credits = 0;
  Duration block_for{};  // how long what is parked may wait
  bool over = false;     // no more will come: the actor has moved, and what waits follows it as it is
  bool dead = false;     // or it is gone
};

/// Where one core's senders wait for one mailbox.
struct Desk {
  Core* core = nullptr;
  Address mailbox;
  NodeList<Waiter> waiters;
  std::uint32_t waiting = 0;
  std::uint32_t wanted = 0;  // asked for and not granted yet
  std::uint32_t purse = 0;
  Duration block_for = MailboxOptions{}.block_for;  // until the owner has told
};

}  // namespace credits

class CreditBook {
 public:
  explicit CreditBook(Core& core);

  /// The way of nearly every message: it has a credit, or its mailbox needs none. False: ask `pass`.
  bool spend(Envelope& envelope) noexcept {
    Account& account = accounts_[place_of(*envelope.target)];
    if (account.cell != envelope.target || account.generation != envelope.generation || account.credits == 0)
      return false;
    account.credits -= account.price;
    envelope.on_credit = account.price & 1;
    return true;
  }
  /// Nothing: the message goes on its way. Else it does not, and this is what its sender is told.
  std::optional<Sent> pass(Envelope* envelope);

  enum class Sending : std::uint8_t {
    gone,      // on credit: its place is reserved
    waiting,   // at a desk; SendState has the result when the activation is resumed
    by_owner,  // the mailbox needs no credits; the owner lets it wait if it must
    refused,   // as many wait as may wait
  };
  /// A `send`; until it is through, what the same sender tells that mailbox is refused.
  Sending send(Envelope* envelope, SendState& state, Instant deadline);

  /// Calls `f(Address)` for every mailbox at whose desk this sender's messages are parked.
  template <class F>
  void for_each_parked(Address sender, F&& f) {
    for (const auto& [number, desk] : desks_) {
      for (const Waiter* at = desk.waiters.first; at != nullptr; at = at->next) {
        if (at->parked_for != sender.cell || at->parked_generation != sender.generation) continue;
        f(desk.mailbox);
        break;
      }
    }
  }

  void granted(Address mailbox, credits::Grant grant);
  /// A waiter has left its desk, whatever became of its message.
  void left(credits::Desk& desk) noexcept;
  /// Ends what is parked, before the actors of this core are ended.
  void clear() noexcept;

 private:
  struct Account {
    Cell* cell = nullptr;
    std::uint32_t generation = 0;
    std::uint32_t credits = 0;
    std::uint8_t price = 0;          // 0: the mailbox needs no credits
    std::uint8_t step = 0;           // the next time 2^step credits are taken, if so many are offered
    std::uint32_t at_last_look = 0;  // credits
  };
  struct Sweep : TimerNode {
    explicit Sweep(CreditBook& its_book) noexcept;
    CreditBook& book;
  };
  static constexpr std::size_t accounts = 256;
  static constexpr std::uint8_t step_max = 6;
  static constexpr Duration idle_max = 5ms;

  static std::size_t place_of(const Cell& cell) noexcept { return cell.number * 0x9e3779b1u >> 24; }
  static_assert(accounts == 256, "the place is the upper eight bits of the product");

  Account& account_of(Cell& cell, std::uint32_t generation);
  void return_credits(Account& account);
  bool pay(Account& account, const Passage& passage, Envelope& envelope);
  credits::Desk* desk_of(Address mailbox) noexcept;
  /// The desk, made if need be; null: one for a former tenant stands there.
  credits::Desk* desk_for(Address mailbox);
  void want(credits::Desk& desk);
  void sweep() noexcept;

  Core& core_;
  std::array<Account, accounts> accounts_{};
  std::map<std::uint32_t, credits::Desk> desks_;  // by the number of the cell
  Sweep sweep_;
};

}  // namespace troupe::actor
