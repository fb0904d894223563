// A start that takes no Context would never be called.
// expect: started_is_public_and_takes_a_context<Counter>
#include "troupe/actor/actor.h"

struct Inc {};
struct Counter {
  void started() {}
  void handle(Inc) {}
};

auto start(troupe::actor::System& system) { return system.spawn<Counter>({}); }
