// Trouble: something that fails again and again, and when to say so: when it begins, once a minute while it lasts, and
// when it is over.
//
// It keeps no text and writes no line; its owner does, in words of its own. What fails and works by turns is spoken of
// no oftener. Value type; one thread.
#pragma once

#include <optional>

#include "troupe/base/clock.h"

namespace troupe::base {

class Trouble {
 public:
  static constexpr Duration say_every = std::chrono::minutes{1};

  /// It has failed. Gives whether to say so.
  [[nodiscard]] bool failed(Instant now) noexcept {
    if (!since_) since_ = now;
    if (said_at_ && now - *said_at_ < say_every) return false;
    said_at_ = now;
    is_told_ = true;
    return true;
  }

  /// It works. Gives how long it had failed where that has been said, else nothing.
  [[nodiscard]] std::optional<Duration> worked(Instant now) noexcept {
    if (!since_) return std::nullopt;
    const Duration lasted = now - *since_;
    const bool was_told = is_told_;
    since_.reset();
    is_told_ = false;
    return was_told ? std::optional{lasted} : std::nullopt;
  }

 private:
  std::optional<Instant> since_;    // none: it works
  std::optional<Instant> said_at_;  // the last time, in this trouble or in one before
  bool is_told_ = false;            // of this one
};

}  // namespace troupe::base
