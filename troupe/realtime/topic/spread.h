// Spread: how the values of something lie, in powers of two, counted on one core alone; and
// SampledTime, the spread of the time that a step takes.
//
// One step in `sampled_one_in` is timed, the first one too; the others cost an addition and
// a comparison. Nothing is allocated.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "troupe/base/clock.h"

namespace troupe::realtime {

inline constexpr std::uint64_t sampled_one_in = 64;  // a power of two

class Spread {
 public:
  static constexpr std::size_t buckets = 36;  // in nanoseconds up to 34 s

  void add(std::uint64_t value) noexcept {
    ++counts_[std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(value)), buckets - 1)];
    sum_ += value;
  }
  void add(base::Duration took) noexcept { add(static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0))); }
  void merge(const Spread& other) noexcept {
    for (std::size_t i = 0; i < buckets; ++i) counts_[i] += other.counts_[i];
    sum_ += other.sum_;
  }

  /// Of the values below 2^i and not below 2^(i-1); the last bucket has all that are larger, too.
  std::uint64_t count(std::size_t i) const noexcept { return counts_[i]; }
  std::uint64_t sum() const noexcept { return sum_; }

 private:
  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t sum_ = 0;
};

class SampledTime {
 public:
  /// Does the step and gives its result. `clock` has a read_clock(), as a core has.
  template <class Clock, class Step>
  auto measure(const Clock& clock, Step&& step) {
    if ((steps_++ & (sampled_one_in - 1)) != 0) [[likely]]
      return step();
    const base::Instant start = clock.read_clock();
    auto result = step();
    spread_.add(clock.read_clock() - start);
    return result;
  }
  void merge(const SampledTime& other) noexcept { spread_.merge(other.spread_); }

  const Spread& spread() const noexcept { return spread_; }

 private:
  std::uint64_t steps_ = 0;
  Spread spread_;
};

}  // namespace troupe::realtime
