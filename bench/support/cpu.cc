// Processor time by the process's own CPU clock: /proc/<pid>/stat tells the same sum in
// ticks of ten milliseconds, too coarse for a slice of a quarter of a second.
#include "bench/support/cpu.h"

#include <ctime>

#include "bench/support/socket.h"

namespace troupe::bench {

base::Duration cpu_time_of(pid_t process) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0) die("the measured server is gone");
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

base::Instant now() { return base::system_clock().now(); }

}  // namespace troupe::bench
