// TurnClock: what time it is on a core. Read at the beginning of a turn, of what comes from sockets, and now and then
// in a long turn: what is done in between is done at one time, and who asks for each message pays once.
//
// Owned by its core. One core.
#pragma once

#include <utility>

#include "troupe/base/clock.h"

namespace troupe::actor {

class TurnClock {
 public:
  explicit TurnClock(const base::Clock& clock) noexcept : clock_(clock), now_(clock.now()) {}

  base::Instant now() const noexcept { return now_; }
  /// Civil time of the same moment, or of when it was asked for first after that.
  base::UnixTime wall() noexcept {
    if (!std::exchange(wall_is_read_, true)) wall_ = clock_.wall();
    return wall_;
  }
  /// Read anew, for who measures: now() stays what it was.
  base::Instant read() const noexcept { return clock_.now(); }
  /// From here on it is `now`, which was read().
  void move_to(base::Instant now) noexcept {
    now_ = now;
    wall_is_read_ = false;
  }

 private:
  const base::Clock& clock_;
  base::Instant now_;
  base::UnixTime wall_;
  bool wall_is_read_ = false;
};

}  // namespace troupe::actor
