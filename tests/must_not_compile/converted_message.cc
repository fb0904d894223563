// A message is not converted to the one that a handler takes.
// expect: actor_handles_message<Counter, Small>
#include "troupe/actor/actor.h"

struct Small {};
struct Large {
  Large(Small) {}
};
struct Counter {
  void handle(Large) {}
};

void tell(troupe::actor::Ref<Counter> counter) { counter.tell(Small{}); }
