// See credit_book.h.
#include "troupe/actor/runtime/credit_book.h"

#include "troupe/actor/runtime/asking.h"
#include "troupe/actor/runtime/credits.h"
#include "troupe/actor/runtime/mailbox.h"

namespace troupe::actor {
namespace {

Address mailbox_of(const Envelope& envelope) noexcept { return {envelope.target, envelope.generation}; }

std::uint32_t price_of(const credits::Desk& desk, const Envelope& envelope) noexcept {
  return credits::price(desk.mailbox.cell->generation.passage(desk.mailbox.generation), envelope);
}

}  // namespace

CreditBook::Sweep::Sweep(CreditBook& its_book) noexcept
    : TimerNode([](TimerNode& node) noexcept { static_cast<Sweep&>(node).book.sweep(); }), book(its_book) {}

CreditBook::CreditBook(Core& core) : core_(core), sweep_(*this) {}

std::optional<Sent> CreditBook::pass(Envelope* envelope) {
  const Address mailbox = mailbox_of(*envelope);
  const Passage passage = mailbox.cell->generation.passage(mailbox.generation);
  Account& account = account_of(*mailbox.cell, mailbox.generation);
  credits::Desk* desk = desk_of(mailbox);
  // It drops what it has no room for, or is gone; but where it has moved, what waits here still goes first.
  if (!passage.on_credit && desk == nullptr) {
    account.price = 0;
    account.credits = 1;
    return std::nullopt;
  }
  if (!passage.on_credit) {
    account.credits = 0;
    return mailbox::park_at(*desk, envelope);
  }
  account.price = passage.unit == 0 ? 1 : 0;
  if (desk == nullptr && pay(account, passage, *envelope)) return std::nullopt;
  // The owner knows whether there is room, and an ask is answered either way; but it must not overtake a `send`.
  if (!passage.blocks && envelope->reply && desk == nullptr) return std::nullopt;
  if (passage.blocks) desk = desk_for(mailbox);
  if (!passage.blocks || desk == nullptr) {
    core_.drop(envelope, nullptr, Drop::full);
    return Sent::full;
  }
  const Sent parked = mailbox::park_at(*desk, envelope);
  if (desk->wanted == 0) want(*desk);
  left(*desk);
  return parked;
}

CreditBook::Sending CreditBook::send(Envelope* envelope, SendState& state, Instant deadline) {
  const Address mailbox = mailbox_of(*envelope);
  const Passage passage = mailbox.cell->generation.passage(mailbox.generation);
  if (!passage.on_credit) return Sending::by_owner;
  Account& account = account_of(*mailbox.cell, mailbox.generation);
  account.price = passage.unit == 0 ? 1 : 0;
  if (desk_of(mailbox) == nullptr && pay(account, passage, *envelope)) {
    core_.to_lane_paid(*mailbox.cell->owner, envelope);
    return Sending::gone;
  }
  return_credits(account);  // the short way must not be open to who waits
  credits::Desk* desk = desk_for(mailbox);
  const bool waits = desk != nullptr && mailbox::wait_at(*desk, envelope, state, deadline);
  if (!waits) {
    core_.drop(envelope, nullptr, Drop::full);
    return Sending::refused;
  }
  if (desk->wanted == 0) want(*desk);
  return Sending::waiting;
}

CreditBook::Account& CreditBook::account_of(Cell& cell, std::uint32_t generation) {
  Account& account = accounts_[place_of(cell)];
  if (account.cell == &cell && account.generation == generation) return account;
  return_credits(account);
  account = {.cell = &cell, .generation = generation};
  return account;
}

void CreditBook::return_credits(Account& account) {
  if (account.price == 0 || account.credits == 0) return;
  credits::give_back(&core_, {account.cell, account.generation}, std::exchange(account.credits, 0));
}

/// Takes the price out of the account, or out of what the owner offers.
bool CreditBook::pay(Account& account, const Passage& passage, Envelope& envelope) {
  const std::uint32_t price = credits::price(passage, envelope);
  const Address mailbox = mailbox_of(envelope);
  const bool keeps = passage.unit == 0;  // nothing is kept for later where the price differs
  if (keeps && account.credits >= price) {
    account.credits -= price;
  } else {
    const std::uint32_t most = keeps ? std::max(price, 1u << account.step) : price;
    const std::uint32_t taken = mailbox.cell->generation.take(mailbox.generation, price, most, 4);
    if (taken < price) return false;
    account.credits += taken - price;
    if (account.step < step_max) ++account.step;
    if (account.credits > 0 && !sweep_.armed()) core_.timers().arm(sweep_, core_.now() + idle_max);
  }
  envelope.on_credit = 1;
  return true;
}

// ---- desks ----

credits::Desk* CreditBook::desk_of(Address mailbox) noexcept {
  if (desks_.empty()) return nullptr;
  const auto at = desks_.find(mailbox.cell->number);
  return at != desks_.end() && at->second.mailbox == mailbox ? &at->second : nullptr;
}

credits::Desk* CreditBook::desk_for(Address mailbox) {
  const auto [at, made] = desks_.try_emplace(mailbox.cell->number);
  credits::Desk& desk = at->second;
  if (made) {
    desk.core = &core_;
    desk.mailbox = mailbox;
  }
  return desk.mailbox == mailbox ? &desk : nullptr;
}

void CreditBook::want(credits::Desk& desk) {
  std::uint64_t sum = 0;
  for (const Waiter* at = desk.waiters.first; at != nullptr; at = at->next) sum += price_of(desk, *at->envelope);
  if (sum <= desk.purse) return;
  desk.wanted = static_cast<std::uint32_t>(std::min<std::uint64_t>(sum - desk.purse, UINT32_MAX));
  credits::ask(core_, desk.mailbox, desk.wanted);
}

void CreditBook::granted(Address mailbox, credits::Grant grant) {
  credits::Desk* desk = desk_of(mailbox);
  if (desk == nullptr) {  // nobody waits any more
    if (grant.credits > 0) credits::give_back(&core_, mailbox, grant.credits);
    return;
  }
  desk->purse += grant.credits;
  desk->wanted = grant.over ? 0 : desk->wanted - std::min(desk->wanted, grant.credits);
  if (!grant.over && desk->block_for != grant.block_for) mailbox::wait_no_longer_than(*desk, grant.block_for);
  while (Waiter* first = desk->waiters.first) {
    std::optional<Drop> dropped;
    if (asking::has_ended(core_, first->envelope->reply)) dropped = Drop::unwanted;
    if (grant.dead) dropped = Drop::dead;
    if (!grant.over && !dropped) {
      const std::uint32_t price = price_of(*desk, *first->envelope);
      if (price > desk->purse) break;
      desk->purse -= price;
    }
    mailbox::leave_desk(*first, dropped, !grant.over);
  }
  if (desk->waiters.first != nullptr) {
    if (desk->wanted == 0) want(*desk);
    return;
  }
  left(*desk);
}

void CreditBook::left(credits::Desk& desk) noexcept {
  if (desk.waiting > 0) return;
  if (desk.purse > 0) credits::give_back(&core_, desk.mailbox, desk.purse);
  desks_.erase(desk.mailbox.cell->number);
}

void CreditBook::clear() noexcept {
  while (!desks_.empty()) {
    credits::Desk& desk = desks_.begin()->second;
    desk.purse = 0;
    while (desk.waiters.first != nullptr) mailbox::leave_desk(*desk.waiters.first, Drop::dead, false);
    desks_.erase(desks_.begin());
  }
}

/// Credits that were not touched between two looks go home.
void CreditBook::sweep() noexcept {
  bool some = false;
  for (Account& account : accounts_) {
    if (account.price == 0 || account.credits == 0) continue;
    if (account.credits == account.at_last_look) {
      account.step = 0;
      return_credits(account);
    } else {
      account.at_last_look = account.credits;
      some = true;
    }
  }
  if (some) core_.timers().arm(sweep_, core_.now() + idle_max);
}

}  // namespace troupe::actor
