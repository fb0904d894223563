// A handler that takes a Reply answers by it: a coroutine beside it would never run.
// expect: handler_that_takes_a_reply_returns_nothing<Counter, Get>
#include "troupe/actor/actor.h"

using namespace troupe::actor;

struct Get {
  using reply = int;
};
struct Counter {
  Task<void> handle(Get, Reply<int> reply) {
    reply.set(1);
    co_return;
  }
};

auto ask(Ref<Counter> counter) { return counter.ask(Get{}); }
