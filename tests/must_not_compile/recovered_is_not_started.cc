// The recovery of an actor whose state lasts is its start; hidden by a `started`, it would never be recovered.
// expect: actor_says_recovered_in_place_of_started<Account>
#include "troupe/actor/persist/event_sourced.h"

using namespace troupe::actor;

struct Deposited {
  std::int64_t cents = 0;
};
struct Balance {
  std::int64_t cents = 0;
};
struct Deposit {};

struct Account : EventSourced<Balance, Events<Deposited>> {
  static Balance apply(Balance s, const Deposited& e) { return {s.cents + e.cents}; }
  void started(Context&) {}
  Task<void> handle(Deposit) { co_await persist(Deposited{1}); }
};

auto tell(Ref<Account> account) { return account.tell(Deposit{}); }
