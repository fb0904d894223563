// LatencyHistogram: how often which duration was measured, with a bounded error and a bounded memory.
//
// Durations up to 128 ns are exact, above that a bucket is less than 1 % wide; what it tells is never too small, and at
// most that much too large. One owner; histograms of several owners are added up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "troupe/base/clock.h"

namespace troupe::realtime {

class LatencyHistogram {
 public:
  LatencyHistogram() : counts_(buckets) {}

  /// A negative duration counts as none, one over an hour as that.
  void record(base::Duration duration);
  void add(const LatencyHistogram& other);
  void clear();

  std::uint64_t count() const noexcept { return count_; }
  /// What so much of all measurements (0 to 1) did not exceed; zero when there are none.
  base::Duration at_share(double share) const;
  /// The longest, exactly.
  base::Duration longest() const noexcept { return longest_; }

 private:
  static constexpr int exact_bits = 7;
  static constexpr std::int64_t most = std::int64_t{3600} * 1'000'000'000;
  static constexpr std::size_t buckets = (42 - exact_bits + 1) << exact_bits;

  static std::size_t bucket_of(std::uint64_t nanoseconds) noexcept;
  static std::int64_t top_of(std::size_t bucket) noexcept;

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  base::Duration longest_{};
};

}  // namespace troupe::realtime
