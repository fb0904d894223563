// Bank account: an actor whose state is what its recorded events have made of it, so it survives what the process does
// not. The events are kept in an SQLite file; a teller moves money between two accounts.
#include <cstdio>
#include <filesystem>

#include "troupe/actor/actor.h"
#include "troupe/actor/persist/event_sourced.h"
#include "troupe/store/sql_journal.h"

using namespace troupe::actor;

// Commands, and what may be wrong with one.
enum class BankError { insufficient, undone, unclear };

struct Deposit {
  std::int64_t cents;
  using reply = std::int64_t;
};
struct Withdraw {
  std::int64_t cents;
  using reply = std::int64_t;
  using error = BankError;
};
struct Balance {
  using reply = std::int64_t;
};

// What happened. These are kept; they change with care (persist/events.h).
struct Deposited {
  std::int64_t cents;
};
struct Withdrawn {
  std::int64_t cents;
};
struct AccountState {
  std::int64_t cents = 0;
};

class Account : public EventSourced<AccountState, Events<Deposited, Withdrawn>> {
 public:
  static constexpr Snapshots snapshots{.every = 100, .keep = 2};

  // Pure: they run for new events and, at the start, for old ones.
  static AccountState apply(AccountState s, const Deposited& e) noexcept {
    s.cents += e.cents;
    return s;
  }
  static AccountState apply(AccountState s, const Withdrawn& e) noexcept {
    s.cents -= e.cents;
    return s;
  }

  // `persist` comes back when the event is durable and applied; other commands wait meanwhile.
  Task<std::int64_t> handle(Deposit d) {
    co_await persist(Deposited{d.cents});
    co_return state().cents;
  }
  Task<std::expected<std::int64_t, BankError>> handle(Withdraw w) {
    if (w.cents <= 0) throw std::invalid_argument("less than a cent is withdrawn");
    if (state().cents < w.cents) co_return std::unexpected(BankError::insufficient);
    co_await persist(Withdrawn{w.cents});
    co_return state().cents;
  }
  std::int64_t handle(Balance) const { return state().cents; }
};

// Money that goes from one account to another. The reply is what the first has left.
struct Transfer {
  Ref<Account> from;
  Ref<Account> to;
  std::int64_t cents;
  using reply = std::int64_t;
  using error = BankError;
};

class Teller {
 public:
  Task<std::expected<std::int64_t, BankError>> handle(Transfer t) {
    const auto left = co_await t.from.ask(Withdraw{t.cents});
    if (!left) co_return std::unexpected(left.error().domain.value_or(BankError::unclear));

    const auto given = co_await t.to.ask(Deposit{t.cents}, {.within = 1s});
    if (given) co_return *left;
    if (given.error().outcome != Outcome::not_executed) co_return std::unexpected(BankError::unclear);

    const auto returned = co_await t.from.ask(Deposit{t.cents});
    returned.value();  // throws if there is none, and names who was asked for what
    co_return std::unexpected(BankError::undone);
  }
};

void show(const char* what, const std::expected<std::int64_t, Failure<BankError>>& cents) {
  if (cents) {
    std::printf("%s: %lld\n", what, static_cast<long long>(*cents));
  } else if (cents.error().domain == BankError::insufficient) {
    std::printf("%s: insufficient\n", what);
  } else {
    std::printf("%s: %s\n", what, cents.error().text().c_str());
  }
}

void one_life(const std::string& file) {
  System system;
  system.provide<Journal>(troupe::store::sql_journal(system, {.path = file}));
  const auto alice = system.spawn<Account>({.name = "alice"});
  const auto bob = system.spawn<Account>({.name = "bob"});
  const auto teller = system.spawn<Teller>({.name = "teller"});

  std::printf("alice begins with %lld\n", static_cast<long long>(system.block_on(alice.ask(Balance{})).value()));
  std::printf("after a deposit: %lld\n", static_cast<long long>(system.block_on(alice.ask(Deposit{100})).value()));
  show("withdraw 500", system.block_on(alice.ask(Withdraw{500})));
  show("transfer 30 to bob", system.block_on(teller.ask(Transfer{alice, bob, 30})));

  // A fault: the account starts again, from what is recorded.
  show("withdraw -1", system.block_on(alice.ask(Withdraw{-1})));
  std::printf("alice has %lld, ", static_cast<long long>(system.block_on(alice.ask(Balance{})).value()));
  std::printf("bob has %lld\n", static_cast<long long>(system.block_on(bob.ask(Balance{})).value()));
}

int main() {
  std::filesystem::remove("bank.db");
  one_life("bank.db");
  one_life("bank.db");
}
