// Nobody would look at what it gives.
// expect: started_is_public_and_takes_a_context<Counter>
#include "troupe/actor/actor.h"

struct Inc {};
struct Counter {
  troupe::actor::Task<int> started(troupe::actor::Context&) { co_return 1; }
  void handle(Inc) {}
};

auto start(troupe::actor::System& system) { return system.spawn<Counter>({}); }
