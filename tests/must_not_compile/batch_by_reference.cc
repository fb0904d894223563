// What a coroutine handler refers to is gone at its first await, a batch too.
// expect: coroutine_handler_takes_its_batch_by_value<Counter, Add>
#include "troupe/actor/actor.h"

using namespace troupe::actor;

struct Add {};
struct Counter {
  Task<void> handle(const Batch<Add>& batch) {
    co_await sleep(std::chrono::milliseconds{1});
    (void)batch.size();
  }
};

void tell(Ref<Counter> counter) { counter.tell(Add{}); }
