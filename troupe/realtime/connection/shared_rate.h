// SharedRates: what all connections of one core that have something in common, their user or
// their address, may send together.
//
// A connection finds its rate once and holds it. A rate stays for as long as its buckets take
// to fill, so whoever leaves and comes back finds them as empty as before. One core.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "troupe/base/clock.h"
#include "troupe/base/local_ref.h"
#include "troupe/web/token_bucket.h"

namespace troupe::realtime {

/// Frames and bytes a second.
struct TrafficLimit {
  web::RateLimit frames;
  web::RateLimit bytes;

  base::Duration refill_time() const noexcept { return std::max(frames.refill_time(), bytes.refill_time()); }
};

/// Of what there was too much, and when there is room again.
struct Excess {
  enum class Of : std::uint8_t { frames, bytes };
  Of of;
  base::Duration wait;
};

class SharedRate : public base::LocallyOwned {
 public:
  explicit SharedRate(const TrafficLimit& limit) noexcept : frames_(limit.frames), bytes_(limit.bytes) {}

  /// Counts a frame of so many bytes; past the limit says why not. What is refused for its bytes is counted as a frame.
  std::optional<Excess> take(const TrafficLimit& limit, std::size_t bytes, base::Instant now) noexcept {
    used_at_ = now;
    if (auto wait = frames_.take(limit.frames, now)) return Excess{Excess::Of::frames, *wait};
    if (auto wait = bytes_.take(limit.bytes, now, static_cast<double>(bytes))) return Excess{Excess::Of::bytes, *wait};
    return std::nullopt;
  }
  base::Instant used_at() const noexcept { return used_at_; }

 private:
  web::TokenBucket frames_;
  web::TokenBucket bytes_;
  base::Instant used_at_{};
};

template <class Key>
class SharedRates {
 public:
  using Rate = base::LocalRef<SharedRate>;

  /// The rate of `key`, a full one if there is none.
  Rate find(const Key& key, const TrafficLimit& limit, base::Instant now) {
    if (rates_.size() >= forget_at_) forget(limit, now);
    auto& rate = rates_[key];
    if (rate == nullptr) rate = base::make_local<SharedRate>(limit);
    return rate;
  }
  std::size_t size() const noexcept { return rates_.size(); }

 private:
  static constexpr std::size_t forget_at_min = 64;

  /// Forgets those that nobody holds and that are full again.
  void forget(const TrafficLimit& limit, base::Instant now) {
    std::erase_if(rates_, [&](const auto& entry) {
      return entry.second->has_one_owner() && entry.second->used_at() + limit.refill_time() <= now;
    });
    forget_at_ = std::max(forget_at_min, 2 * rates_.size());
  }

  std::map<Key, Rate> rates_;
  std::size_t forget_at_ = forget_at_min;  // twice what stayed, so that looking through all costs little for each
};

}  // namespace troupe::realtime
