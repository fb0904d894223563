// TokenBucket: so many things a second, and a burst of so many at once. TokenBuckets: one
// for each key, in bounded memory.
//
// Time is handed in. A bucket is full at first. Owned by one core.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>

#include "troupe/base/clock.h"

namespace troupe::web {

struct RateLimit {
  double per_second = 100;
  double burst = 200;  // how many may come at once after a silence

  /// How long an empty bucket takes to be full again.
  base::Duration refill_time() const noexcept {
    return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>{burst / per_second});
  }
};

class TokenBucket {
 public:
  explicit TokenBucket(RateLimit limit, base::Instant now = {}) noexcept : tokens_(limit.burst), filled_at_(now) {}

  /// Takes `count` tokens, or none and gives the time after which there will be enough.
  std::optional<base::Duration> take(RateLimit limit, base::Instant now, double count = 1) noexcept {
    if (now != filled_at_) fill(limit, now);  // within a turn time stands still
    tokens_ = std::min(tokens_, limit.burst);
    if (tokens_ >= count) {
      tokens_ -= count;
      return std::nullopt;
    }
    return std::chrono::ceil<base::Duration>(std::chrono::duration<double>{(count - tokens_) / limit.per_second});
  }

  /// When it was last asked, with success or without, or made.
  base::Instant asked_at() const noexcept { return filled_at_; }

 private:
  void fill(RateLimit limit, base::Instant now) noexcept {
    const std::chrono::duration<double> passed = now - filled_at_;
    tokens_ += passed.count() * limit.per_second;
    filled_at_ = now;
  }

  double tokens_;
  base::Instant filled_at_;
};

/// Two generations of buckets: what nobody touched while the younger one grew for a whole refill time is full again,
/// so forgetting it changes nothing. Past `keys_max` new keys share one bucket.
template <class Key>
class TokenBuckets {
 public:
  TokenBuckets(RateLimit limit, std::size_t keys_max) : limit_(limit), keys_max_(keys_max), shared_(limit) {}

  /// Takes a token of the bucket of `key`, or none and gives the time after which there will be one.
  std::optional<base::Duration> take(const Key& key, base::Instant now) {
    turn_over(now);
    auto found = young_.find(key);
    if (found == young_.end()) {
      if (young_.size() >= keys_max_) return shared_.take(limit_, now);
      auto old = old_.find(key);
      found = young_.emplace(key, old == old_.end() ? TokenBucket{limit_} : old->second).first;
    }
    return found->second.take(limit_, now);
  }

  std::size_t size() const noexcept { return young_.size() + old_.size(); }

 private:
  void turn_over(base::Instant now) {
    if (now - turned_at_ < limit_.refill_time()) return;
    // After two refill times of silence the younger generation is full again, too.
    bool is_stale = now - turned_at_ >= 2 * limit_.refill_time();
    old_ = is_stale ? Generation{} : std::move(young_);
    young_ = {};
    turned_at_ = now;
  }

  using Generation = std::map<Key, TokenBucket>;

  RateLimit limit_;
  std::size_t keys_max_;
  TokenBucket shared_;
  Generation young_;
  Generation old_;
  base::Instant turned_at_{};
};

}  // namespace troupe::web
