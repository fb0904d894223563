// Backoff: how long a client waits before it connects again. Longer each time, and never all clients at once.
#pragma once

#include <algorithm>
#include <utility>

#include "troupe/base/clock.h"
#include "troupe/base/random.h"

namespace troupe::realtime {

struct BackoffOptions {
  base::Duration first = std::chrono::milliseconds{250};
  base::Duration longest = std::chrono::seconds{10};
};

class Backoff {
 public:
  explicit Backoff(BackoffOptions options = {}) noexcept : options_(options), next_(options.first) {}

  /// The next wait: between a half and all of what is due, which doubles.
  base::Duration wait(base::Random& random) {
    const auto most = std::exchange(next_, std::min(next_ * 2, options_.longest));
    return most / 2 + base::Duration{static_cast<std::int64_t>(random.unit() * static_cast<double>(most.count()) / 2)};
  }
  /// All is well again.
  void reset() noexcept { next_ = options_.first; }

 private:
  BackoffOptions options_;
  base::Duration next_;
};

}  // namespace troupe::realtime
