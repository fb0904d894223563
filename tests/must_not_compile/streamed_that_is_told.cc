// What is answered by a stream is neither told nor asked.
// expect: message_that_declares_an_item_is_streamed<Counter, Tail>
#include "troupe/actor/actor.h"

struct Tail {
  using item = int;
};
struct Counter {
  troupe::actor::Stream<int> handle(Tail) { co_yield 1; }
};

void tell(troupe::actor::Ref<Counter> counter) { counter.tell(Tail{}); }
