// Each event has an `apply`, or a replay would lose it.
// expect: actor_applies_event<Account, Balance, Withdrawn>
// expect: the actor has no public `static State apply(State, const Event&)` for this event
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

struct Account : EventSourced<Balance, Events<Deposited, Withdrawn>> {
  static Balance apply(Balance s, const Deposited& e) { return {s.cents + e.cents}; }
  Task<void> handle(Withdraw) { co_await persist(Withdrawn{1}); }
};
