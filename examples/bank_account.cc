// Bank account: an actor whose state is what its recorded events have made of it, so it survives what the process does
// not.
#include <cstdio>

#include "troupe/actor/persist/event_sourced.h"
#include "troupe/actor/persist/memory_journal.h"
#include "troupe/actor/sim/world.h"

using namespace troupe::actor;

// Commands, and what may be wrong with one.
enum class BankError { insufficient };

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

// Events, in the past tense, and the state that they make.
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
    if (state().cents < w.cents) co_return std::unexpected(BankError::insufficient);
    co_await persist(Withdrawn{w.cents});
    co_return state().cents;
  }
  std::int64_t handle(Balance) const { return state().cents; }
};

int main() {
  // The disk is the test's own: it outlives the power cut below. A service takes store::sql_journal(database).
  const MemoryJournalOptions journal{};
  test::World world{1};

  world.system().provide<Journal>(MemoryJournal::start(world, journal));
  auto alice = world.spawn<Account>({.name = "alice"});
  std::printf("deposit 100: %lld\n", static_cast<long long>(world.block_on(alice.ask(Deposit{100})).value_or(-1)));
  std::printf("withdraw 30: %lld\n", static_cast<long long>(world.block_on(alice.ask(Withdraw{30})).value_or(-1)));
  const auto refused = world.block_on(alice.ask(Withdraw{500}));
  std::printf("withdraw 500: %s\n",
              !refused && refused.error().domain == BankError::insufficient ? "insufficient" : "?");

  world.crash();

  world.system().provide<Journal>(MemoryJournal::start(world, journal));
  alice = world.spawn<Account>({.name = "alice"});
  std::printf("after a power cut: %lld\n", static_cast<long long>(world.block_on(alice.ask(Balance{})).value_or(-1)));
}
