// Idle threads: one that has become idle stays so, and no other does.
#include "troupe/actor/offload/idle.h"

#include <doctest/doctest.h>
#include <sched.h>

#include <thread>

namespace troupe::actor {
namespace {

TEST_CASE("a thread that becomes idle gives way to all others, and they stay as they are") {
  const int before = sched_getscheduler(0);
  int then = -1, again = -1;
  std::thread idle{[&] {
    become_idle();
    then = sched_getscheduler(0);
    become_idle();
    again = sched_getscheduler(0);
  }};
  idle.join();
  CHECK_EQ(then, SCHED_IDLE);
  CHECK_EQ(again, SCHED_IDLE);
  CHECK_EQ(sched_getscheduler(0), before);
}

}  // namespace
}  // namespace troupe::actor
