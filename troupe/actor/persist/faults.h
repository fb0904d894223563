// What goes wrong with a simulated disk and with the memory journal on it. All of it is off unless asked for.
//
// A test may change them between two turns of a simulated system; they belong into no other. In
// a test::World they are a part of its `Faults`.
#pragma once

#include "troupe/base/clock.h"
#include "troupe/base/odds.h"

namespace troupe::actor {

struct DiskFaults {
  base::Odds write_fails{};  // and some of its first sectors may have been written
  base::Odds sync_fails{};   // and what was written before it may be lost in a crash or not
};

/// Drawn for each write of the journal (an activation is one) and, as far as it applies, for each read. That a write
/// is torn or lost is the disk's part: `DiskFaults`, and its crash.
struct JournalFaults {
  base::Odds fails_before{};   // it fails without effect
  base::Odds fails_after{};    // it takes effect and is reported as failed
  base::Duration delay_max{};  // before it takes effect, and again before it is durable and answered
};

}  // namespace troupe::actor
