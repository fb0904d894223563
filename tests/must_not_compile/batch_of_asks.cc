// A message that is asked cannot come in a batch: nobody would answer each of them.
// expect: message_that_is_asked_comes_alone<Counter, Add>
#include "troupe/actor/actor.h"

struct Add {
  using reply = int;
};
struct Counter {
  void handle(troupe::actor::Batch<Add>) {}
};

auto ask(troupe::actor::Ref<Counter> counter) { return counter.ask(Add{}); }
