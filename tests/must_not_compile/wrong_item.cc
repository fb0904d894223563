// A stream's items are what its message declares.
// expect: handler_returns_what_its_message_declares<Counter, Tail,
// expect: troupe::actor::Stream<long, troupe::actor::NoError>, int>
#include "troupe/actor/actor.h"

struct Tail {
  using item = int;
};
struct Counter {
  troupe::actor::Stream<long> handle(Tail) { co_yield 1; }
};

auto read(troupe::actor::Ref<Counter> counter) { return counter.stream(Tail{}); }
