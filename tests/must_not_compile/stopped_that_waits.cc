// A stop waits for nothing, so its hook is no coroutine.
// expect: stopped_is_public_and_takes_a_context<Counter>
#include "troupe/actor/actor.h"

struct Inc {};
struct Counter {
  troupe::actor::Task<void> stopped(troupe::actor::Context&) { co_return; }
  void handle(Inc) {}
};

auto start(troupe::actor::System& system) { return system.spawn<Counter>({}); }
