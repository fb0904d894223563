// What declares no reply is told, not asked.
// expect: message_that_is_asked_declares_its_reply<Counter, Inc>
#include "troupe/actor/actor.h"

struct Inc {};
struct Counter {
  void handle(Inc) {}
};

auto ask(troupe::actor::Ref<Counter> counter) { return counter.ask(Inc{}); }
