// See idle.h.
#include "troupe/actor/offload/idle.h"

#include <pthread.h>
#include <sched.h>

namespace troupe::actor {

void become_idle() noexcept {
  static thread_local const bool is_idle = [] {
    const sched_param none{};
    return pthread_setschedparam(pthread_self(), SCHED_IDLE, &none) == 0;
  }();
  (void)is_idle;
}

}  // namespace troupe::actor
