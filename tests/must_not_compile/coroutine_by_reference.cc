// A coroutine handler takes its message by value: the envelope is gone at its first await.
// expect: coroutine_handler_takes_its_message_by_value<Sleeper, Nap>
// expect: write handle(M), not handle(const M&)
#include "troupe/actor/actor.h"

struct Nap {
  using reply = int;
};
struct Sleeper {
  troupe::actor::Task<int> handle(const Nap&) { co_return 1; }
};

auto ask(troupe::actor::Ref<Sleeper> sleeper) { return sleeper.ask(Nap{}); }
