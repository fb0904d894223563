// Faults: what a World does to its runtime beside running it. All of it is off unless asked for, and drawn from the
// seed.
#pragma once

#include <cstdint>

#include "troupe/actor/persist/faults.h"
#include "troupe/base/clock.h"
#include "troupe/base/odds.h"

namespace troupe::actor::test {

using namespace std::chrono_literals;

using base::Odds;

struct Faults {
  base::Duration timer_delay_max{};           // a timer fires up to this much later than it should
  Odds ring_full{};                           // a batch for another core finds the ring full, and waits at its sender
  std::size_t lane_messages_max = 16 * 1024;  // how many may wait there before `tell` answers `full`
  base::Duration job_delay_max = 5ms;         // a blocking job takes 1 ms to this long
  Odds job_refused{};                         // a blocking job finds too many before it: OffloadFull
  Odds stall{};                               // a handler holds all cores up
  base::Duration stall_max = 200ms;           // for at most this long
  DiskFaults disk{};                          // of World::disk
  JournalFaults journal{};                    // of the one that World::start_journal gives
};

}  // namespace troupe::actor::test
