// Idle threads: jobs that give way to everything else on the machine.
//
// A job calls `become_idle` first, on threads of its own (`thread_offload`): never on those of the system, whose other
// jobs somebody waits for.
#pragma once

namespace troupe::actor {

/// From now on the calling thread gets a processor when no other thread of the machine wants it, and loses it at once
/// (SCHED_IDLE, sched(7)). It stays so. Where the system refuses, nothing changes.
void become_idle() noexcept;

}  // namespace troupe::actor
