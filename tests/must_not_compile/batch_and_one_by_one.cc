// An actor takes messages of one type one by one or in batches, not both.
// expect: actor_takes_its_messages_one_by_one_or_in_batches<Counter, Add>
#include "troupe/actor/actor.h"

struct Add {};
struct Counter {
  void handle(Add) {}
  void handle(troupe::actor::Batch<Add>) {}
};

void tell(troupe::actor::Ref<Counter> counter) { counter.tell(Add{}); }
