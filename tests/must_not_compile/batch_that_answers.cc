// A batch is of messages that nobody waits for.
// expect: batch_handler_returns_nothing<Counter, Add>
#include "troupe/actor/actor.h"

struct Add {};
struct Counter {
  int handle(troupe::actor::Batch<Add>) { return 1; }
};

void tell(troupe::actor::Ref<Counter> counter) { counter.tell(Add{}); }
