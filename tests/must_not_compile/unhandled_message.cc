// What an actor has no handler for cannot be told to it.
// expect: actor_handles_message<Counter, Tick>
// expect: this actor has no handler for this message
#include "troupe/actor/actor.h"

struct Inc {};
struct Tick {};
struct Counter {
  void handle(Inc) {}
};

void tell(troupe::actor::Ref<Counter> counter) { counter.tell(Tick{}); }
