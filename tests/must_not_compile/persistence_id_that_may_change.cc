// The name of an entity is asked of a constant actor; passed over, its events would go under another name.
// expect: persistence_id_is_public_and_const<Account>
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
  std::string persistence_id() { return "one"; }
  Task<void> handle(Deposit) { co_await persist(Deposited{1}); }
};

auto start(System& system) { return system.spawn<Account>({.name = "one"}); }
