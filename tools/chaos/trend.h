// Trend: the straight line through what was measured over time, by least squares.
#pragma once

#include <cstdint>

namespace troupe::chaos {

class Trend {
 public:
  void add(double time, double value) noexcept {
    ++count_;
    const double before = time - mean_time_;
    mean_time_ += before / count_;
    mean_value_ += (value - mean_value_) / count_;
    moment_ += before * (value - mean_value_);
    spread_ += before * (time - mean_time_);
  }

  /// What it grows by in a unit of time; zero as long as that cannot be said.
  double slope() const noexcept { return spread_ > 0 ? moment_ / spread_ : 0; }
  double mean() const noexcept { return mean_value_; }

 private:
  double count_ = 0;
  double mean_time_ = 0, mean_value_ = 0;
  double moment_ = 0, spread_ = 0;
};

}  // namespace troupe::chaos
