// Who looks changes nothing.
// expect: inspect_is_public_and_const_and_takes_an_inspection<Counter>
#include "troupe/actor/actor.h"

struct Inc {};
struct Counter {
  void inspect(troupe::actor::Inspection&) {}
  void handle(Inc) {}
};

auto start(troupe::actor::System& system) { return system.spawn<Counter>({}); }
