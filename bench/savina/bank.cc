// Savina's bank transaction: a teller orders transfers, and each account waits for the other one.
#include "bench/savina/support.h"
#include "troupe/base/random.h"

namespace troupe::bench::savina {
namespace {

class Account;
class Teller;

struct Debit {
  double amount;
  using reply = actor::NoError;
};
struct Credit {
  double amount;
  Ref<Account> recipient;
  Ref<Teller> teller;
};
struct Transferred {};

class Account {
 public:
  Task<void> handle(Credit credit);
  actor::NoError handle(Debit debit) {
    balance_ += debit.amount;
    return {};
  }

 private:
  double balance_ = 1'000'000;
};

/// Orders are told as fast as the accounts take them; Savina's teller tells all at once.
class Teller {
 public:
  Teller(std::vector<Ref<Account>> accounts, std::uint64_t transfers)
      : accounts_(std::move(accounts)), unordered_(transfers), open_(transfers) {}

  void handle(Begin, Reply<actor::NoError> reply, Context& ctx) {
    reply_ = std::move(reply);
    for (std::uint64_t i = 0; i < at_once && unordered_ > 0; ++i) order(ctx);
  }
  void handle(Transferred, Context& ctx) {
    if (unordered_ > 0) order(ctx);
    if (--open_ == 0) reply_.set({});
  }

 private:
  static constexpr std::uint64_t at_once = 900;  // a mailbox of the default size holds their answers

  /// From the lower eight tenths to a higher account, as Savina draws them, so that no two wait for each other.
  void order(Context& ctx) {
    --unordered_;
    const std::uint64_t from = random_.below(accounts_.size() / 10 * 8);
    const std::uint64_t to = from + 1 + random_.below(accounts_.size() - from - 1);
    accounts_[from].tell(Credit{.amount = random_.unit() * 1000, .recipient = accounts_[to], .teller = ctx.self(this)});
  }

  std::vector<Ref<Account>> accounts_;
  std::uint64_t unordered_;
  std::uint64_t open_;
  base::SeededRandom random_{123};
  Reply<actor::NoError> reply_;
};

Task<void> Account::handle(Credit credit) {
  balance_ -= credit.amount;
  const auto debited = co_await credit.recipient.ask(Debit{credit.amount}, {.within = 1min});
  if (!debited) throw std::runtime_error(debited.error().what);
  credit.teller.tell(Transferred{});
}

}  // namespace

Outcome bank_transaction(Setting setting) {
  const std::uint64_t transfers = 50'000 * setting.scale;
  System system{{.cores = setting.cores}};
  std::vector<Ref<Account>> accounts;
  for (std::uint64_t i = 0; i < 1000; ++i) accounts.push_back(system.spawn<Account>({.core = core_of(i, system)}));
  const auto teller = system.spawn<Teller>({.core = 0}, accounts, transfers);
  return {transfers * 4, run(system, teller)};
}

}  // namespace troupe::bench::savina
