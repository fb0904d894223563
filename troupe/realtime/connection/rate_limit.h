// TokenBucket: so many units a second, and a burst beyond that. Pure: time is handed in.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "troupe/base/clock.h"

namespace troupe::realtime {

struct RateLimit {
  double per_second = 0;
  double burst = 0;  // what may come at once after a quiet time
};

class TokenBucket {
 public:
  /// Starts full. `limit` must be positive in both.
  TokenBucket(RateLimit limit, base::Instant now) noexcept : limit_(limit), tokens_(limit.burst), filled_(now) {}

  /// Takes `units` if they are there; nothing is taken otherwise.
  bool take(double units, base::Instant now) noexcept {
    auto seconds = std::chrono::duration<double>(now - filled_).count();
    tokens_ = std::min(limit_.burst, tokens_ + seconds * limit_.per_second);
    filled_ = now;
    if (tokens_ < units) return false;
    tokens_ -= units;
    return true;
  }

  /// How long until `units` will be there, by the last take().
  std::chrono::milliseconds wait_for(double units) const noexcept {
    auto missing = std::max(0.0, std::min(units, limit_.burst) - tokens_);
    return std::chrono::milliseconds{static_cast<std::int64_t>(missing / limit_.per_second * 1000) + 1};
  }

 private:
  RateLimit limit_;
  double tokens_;
  base::Instant filled_;
};

}  // namespace troupe::realtime
