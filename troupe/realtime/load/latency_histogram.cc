// Buckets: the highest eight bits of a number, and how far they are shifted.
#include "troupe/realtime/load/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace troupe::realtime {

std::size_t LatencyHistogram::bucket_of(std::uint64_t nanoseconds) noexcept {
  constexpr std::uint64_t exact = std::uint64_t{1} << exact_bits;
  if (nanoseconds < exact) return nanoseconds;
  const auto shift = static_cast<std::size_t>(std::bit_width(nanoseconds)) - exact_bits - 1;
  return (shift << exact_bits) + static_cast<std::size_t>(nanoseconds >> shift);
}

/// The largest number of a bucket.
std::int64_t LatencyHistogram::top_of(std::size_t bucket) noexcept {
  constexpr std::size_t exact = std::size_t{1} << exact_bits;
  if (bucket < 2 * exact) return static_cast<std::int64_t>(bucket);
  const auto shift = (bucket >> exact_bits) - 1;
  return static_cast<std::int64_t>(((bucket - (shift << exact_bits) + 1) << shift) - 1);
}

void LatencyHistogram::record(base::Duration duration) {
  const auto nanoseconds = std::clamp<std::int64_t>(duration.count(), 0, most);
  ++counts_[bucket_of(static_cast<std::uint64_t>(nanoseconds))];
  ++count_;
  longest_ = std::max(longest_, base::Duration{nanoseconds});
}

void LatencyHistogram::add(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  longest_ = std::max(longest_, other.longest_);
}

void LatencyHistogram::clear() {
  std::ranges::fill(counts_, 0);
  count_ = 0;
  longest_ = {};
}

base::Duration LatencyHistogram::at_share(double share) const {
  if (count_ == 0) return {};
  const auto rank = static_cast<std::uint64_t>(std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    seen += counts_[bucket];
    if (seen >= std::max<std::uint64_t>(rank, 1)) return std::min(base::Duration{top_of(bucket)}, longest_);
  }
  return longest_;
}

}  // namespace troupe::realtime
