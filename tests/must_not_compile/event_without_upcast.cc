// A version of an event that is no longer read would stop every replay that meets it.
// expect: event_upcasts_each_older_version<Deposited>
#include "troupe/actor/persist/event_sourced.h"

using namespace troupe::actor;

struct Deposited {
  std::int64_t cents = 0;
  std::string currency;
  static constexpr int version = 2;
};
struct Balance {
  std::int64_t cents = 0;
};
struct Deposit {};

struct Account : EventSourced<Balance, Events<Deposited>> {
  static Balance apply(Balance s, const Deposited& e) { return {s.cents + e.cents}; }
  Task<void> handle(Deposit) { co_await persist(Deposited{1, "EUR"}); }
};
