// What declares no item is not streamed.
// expect: message_that_is_streamed_declares_its_item<Counter, Get>
#include "troupe/actor/actor.h"

struct Get {
  using reply = int;
};
struct Counter {
  int handle(Get) { return 1; }
};

auto read(troupe::actor::Ref<Counter> counter) { return counter.stream(Get{}); }
