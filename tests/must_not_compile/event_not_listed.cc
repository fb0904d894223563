// What is recorded must be found again by its name, so an actor lists its events.
// expect: actor_lists_event<Account, Withdrawn, Deposited>
#include "troupe/actor/persist/event_sourced.h"

using namespace troupe::actor;

struct Deposited {
  std::int64_t cents = 0;
};
struct Withdrawn {
  std::int64_t cents = 0;
};
struct Balance {
  std::int64_t cents = 0;
};
struct Withdraw {};

struct Account : EventSourced<Balance, Events<Deposited>> {
  static Balance apply(Balance s, const Deposited& e) { return {s.cents + e.cents}; }
  Task<void> handle(Withdraw) { co_await persist(Withdrawn{1}); }
};
