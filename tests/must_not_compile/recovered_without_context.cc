// What is to run after the recovery takes a Context, as a start does.
// expect: recovered_is_public_and_takes_a_context<Account>
#include "troupe/actor/actor.h"
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
  void recovered() {}
  Task<void> handle(Deposit) { co_await persist(Deposited{1}); }
};

auto start(System& system) { return system.spawn<Account>({.name = "one"}); }
