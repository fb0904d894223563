// The runtime calls the hook, so it is no private matter.
// expect: started_is_public_and_takes_a_context<Counter>
#include "troupe/actor/actor.h"

struct Inc {};
class Counter {
 public:
  void handle(Inc) {}

 private:
  void started(troupe::actor::Context&) {}
};

auto start(troupe::actor::System& system) { return system.spawn<Counter>({}); }
