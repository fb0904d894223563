// A timer tells its actor nothing that the actor does not handle.
// expect: actor_handles_message<Clock, Tick>
#include "troupe/actor/actor.h"

struct Tick {};
struct Wind {};
struct Clock {
  void handle(Wind, troupe::actor::Context& ctx) { ctx.after(this, std::chrono::seconds{1}, Tick{}); }
};

void tell(troupe::actor::Ref<Clock> clock) { clock.tell(Wind{}); }
