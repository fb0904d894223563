// Heartbeat: when to ping a connection, and when it has been silent for too long.
//
// A value without a timer of its own: the owner calls on_time() when due() has come. The
// first ping is at a random point of the second half of the interval, so that connections
// that came together do not ping together. Any pong of ours counts as an answer. Everything is
// due at a tick of a tenth of a second: pings that leave in one turn cost less than each alone.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "troupe/base/clock.h"

namespace troupe::realtime {

struct HeartbeatOptions {
  base::Duration interval = std::chrono::seconds{25};  // below the 30 s of the least patient proxies
  base::Duration answer_within = std::chrono::seconds{10};
};

class Heartbeat {
 public:
  enum class Step : std::uint8_t { wait, ping, lost };

  /// `spread` in [0, 1) places the first ping.
  Heartbeat(const HeartbeatOptions& options, base::Instant now, double spread) noexcept
      : options_(&options),
        due_(at_tick(
            now + options.interval / 2 +
            base::Duration{static_cast<std::int64_t>(static_cast<double>(options.interval.count()) / 2 * spread)})) {}

  /// When on_time() wants to be called.
  base::Instant due() const noexcept { return due_; }

  /// What to do now: nothing yet, send a ping, or close because the last one was not answered. `hears`: nothing keeps
  /// us from reading what comes; an answer that we do not read is not missing.
  Step on_time(base::Instant now, bool hears) noexcept {
    if (now < due_) return Step::wait;
    if (is_pinged() && !hears) {
      due_ = at_tick(now + options_->answer_within);
      return Step::wait;
    }
    if (is_pinged()) return Step::lost;
    pinged_at_ = now;
    due_ = at_tick(now + options_->answer_within);
    return Step::ping;
  }

  /// From now on we read again, what came meanwhile too.
  void on_hearing(base::Instant now) noexcept {
    if (is_pinged()) due_ = std::max(due_, at_tick(now + options_->answer_within));
  }

  /// The answer to a ping.
  void on_pong(base::Instant now) noexcept {
    if (!is_pinged()) return;  // nobody asked
    rtt_ = now - pinged_at_;
    due_ = at_tick(base::Instant{pinged_at_.nanoseconds - pinged_at_.nanoseconds % tick} + options_->interval);
    pinged_at_ = base::Instant::never();
  }

  /// The time between the last ping and its answer.
  std::optional<base::Duration> rtt() const noexcept {
    return rtt_ < base::Duration::zero() ? std::nullopt : std::optional{rtt_};
  }

 private:
  static constexpr std::int64_t tick = 100'000'000;

  static base::Instant at_tick(base::Instant t) noexcept {
    const auto past = t.nanoseconds % tick;
    return past == 0 ? t : base::Instant{t.nanoseconds - past + tick};
  }

  bool is_pinged() const noexcept { return pinged_at_ != base::Instant::never(); }

  const HeartbeatOptions* options_;
  base::Instant due_;
  base::Instant pinged_at_ = base::Instant::never();  // of a ping that is not yet answered
  base::Duration rtt_{-1};                            // negative: not known yet
};

}  // namespace troupe::realtime
