// The floors under the actor runtime: what handing a message over costs at best on this
// machine, on one core and between two (floors (a) and (b) of docs/benchmarks.md).
#pragma once

#include <cstdint>
#include <vector>

#include "troupe/base/clock.h"

namespace troupe::bench {

/// Floor (a): `messages` envelopes are taken from a free list, written, queued in batches of 64, delivered by one
/// virtual call each and recycled; lists are intrusive.
base::Duration run_virtual_calls(std::uint64_t messages);

/// Floor (b): `messages` envelopes of 64 bytes are written on one core, handed over a ring, read on the other and
/// recycled over a ring back. The caller's thread writes; the reader is pinned to `reader_core`.
base::Duration run_ring(std::uint64_t messages, unsigned reader_core);

/// Floor (c): the caller's thread hands one word over a ring and waits for the answer over a ring back, `exchanges`
/// times. Whoever finds nothing sleeps in epoll and is woken by an eventfd, as the cores of the runtime are. Gives how
/// long each exchange took.
std::vector<base::Duration> run_exchange(std::uint64_t exchanges, unsigned other_core);

/// Floor (d): the same exchange with a thread that never sleeps, since it has work without end: it looks at its ring
/// after each piece of `work`. Gives how long each exchange took; the caller pauses before it, `pause_max` at most.
std::vector<base::Duration> run_busy_exchange(std::uint64_t exchanges, unsigned other_core, base::Duration work,
                                              base::Duration pause_max);

/// Keeps the calling thread's core busy.
void spin(base::Duration time);
/// Different each time, from zero to `longest`.
base::Duration pause(base::Duration longest);

/// Pins the calling thread to one core of this machine, if there is that core.
void pin_to(unsigned core);

}  // namespace troupe::bench
