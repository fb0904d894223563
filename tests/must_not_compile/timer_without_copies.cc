// What is told again and again is another copy each time.
// expect: message_that_is_told_again_and_again_is_copyable<Clock, Tick>
#include <memory>

#include "troupe/actor/actor.h"

using namespace troupe::actor;

struct Tick {
  std::unique_ptr<int> n;
};
struct Clock {
  void started(Context& ctx) { ctx.every(this, "tick", std::chrono::seconds{1}, Tick{}); }
  void handle(Tick) {}
};

void start(System& system) { system.spawn<Clock>({}); }
