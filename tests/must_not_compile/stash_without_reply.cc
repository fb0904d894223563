// An ask is stashed with its Reply: somebody waits for the answer.
// expect: message_that_is_asked_is_stashed_with_its_reply<Counter, Get>
#include "troupe/actor/actor.h"

struct Get {
  using reply = int;
};
struct Counter {
  int handle(Get m, troupe::actor::Context& ctx) { return ctx.stash(this, m) ? 0 : 1; }
};

auto ask(troupe::actor::Ref<Counter> counter) { return counter.ask(Get{}); }
