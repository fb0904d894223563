// Schedule: when things are due that happen at a fixed rate, whatever else happens: an open loop.
//
// The n-th is due at a moment that does not depend on when the others were done, so who is late is seen to be late.
#pragma once

#include <cstdint>

#include "troupe/base/check.h"
#include "troupe/base/clock.h"

namespace troupe::realtime {

class Schedule {
 public:
  /// The first is due at `start`; `per_second` is positive.
  Schedule(base::Instant start, double per_second) : start_(start), every_(1e9 / per_second) {
    INVARIANT(per_second > 0, "a schedule has a rate");
  }

  /// When the n-th is due, from 0.
  base::Instant at(std::uint64_t n) const noexcept {
    return start_ + base::Duration{static_cast<std::int64_t>(static_cast<double>(n) * every_)};
  }

  /// Whether one more is due by now; takes it, and gives when it was due.
  bool take(base::Instant now, base::Instant& was_due) noexcept {
    const auto due = at(taken_);
    if (due > now) return false;
    was_due = due;
    ++taken_;
    return true;
  }
  /// When the next one is due.
  base::Instant next() const noexcept { return at(taken_); }
  std::uint64_t taken() const noexcept { return taken_; }

 private:
  base::Instant start_;
  double every_;  // nanoseconds
  std::uint64_t taken_ = 0;
};

}  // namespace troupe::realtime
