// Who subscribes handles what is published.
// expect: subscriber_handles_published_value_or_a_copy_of_it<Clock, Alert>
#include "troupe/actor/actor.h"

struct Alert {};
struct Wind {};
struct Clock {
  void handle(Wind, troupe::actor::Context& ctx) { troupe::actor::Topic<Alert>{ctx, "alerts"}.subscribe(ctx, this); }
};

void tell(troupe::actor::Ref<Clock> clock) { clock.tell(Wind{}); }
