// What a process costs: the processor time of any process of ours, in nanoseconds.
#pragma once

#include <sys/types.h>

#include "troupe/base/clock.h"

namespace troupe::bench {

/// User and system time that all threads of `process` have used so far. Ends the process if it is gone.
base::Duration cpu_time_of(pid_t process);

/// Monotonic time of this machine.
base::Instant now();

}  // namespace troupe::bench
