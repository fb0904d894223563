// Time as values: `Instant` for measuring and waiting, `UnixTime` for what the world is told.
//
// No code outside base/ reads a clock of the system; it asks the Clock it was given, so
// that a simulated one can take its place. The two kinds of time do not mix.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace troupe::base {

using Duration = std::chrono::nanoseconds;

/// A point on the monotonic clock, in nanoseconds since an arbitrary start. Never goes back.
struct Instant {
  std::int64_t nanoseconds = 0;

  friend auto operator<=>(Instant, Instant) = default;
  /// What is further away than an Instant can be is `never`, which no Duration brings nearer.
  friend Instant operator+(Instant a, Duration d) noexcept {
    if (a.nanoseconds == INT64_MAX) return a;
    Instant sum;
    if (__builtin_add_overflow(a.nanoseconds, d.count(), &sum.nanoseconds))
      return {d.count() > 0 ? INT64_MAX : INT64_MIN};
    return sum;
  }
  friend Instant operator-(Instant a, Duration d) noexcept { return {a.nanoseconds - d.count()}; }
  friend Duration operator-(Instant a, Instant b) noexcept { return Duration{a.nanoseconds - b.nanoseconds}; }
  static constexpr Instant never() noexcept { return {INT64_MAX}; }
};

/// A point of civil time, in milliseconds since 1970-01-01T00:00:00Z without leap seconds. May jump.
struct UnixTime {
  std::int64_t milliseconds = 0;

  std::int64_t seconds() const noexcept { return milliseconds / 1000; }
  friend auto operator<=>(UnixTime, UnixTime) = default;
  friend UnixTime operator+(UnixTime t, Duration d) noexcept {
    return {t.milliseconds + std::chrono::duration_cast<std::chrono::milliseconds>(d).count()};
  }
  friend UnixTime operator-(UnixTime t, Duration d) noexcept { return t + (-d); }
  friend Duration operator-(UnixTime a, UnixTime b) noexcept {
    return std::chrono::milliseconds{a.milliseconds - b.milliseconds};
  }
};

/// Where time comes from. Both functions may be called on any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const noexcept = 0;
  virtual UnixTime wall() const noexcept = 0;
};

/// The clock of this machine; lives as long as the process.
Clock& system_clock() noexcept;

/// A clock that moves only when told; the twin for tests and simulation. One thread.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(UnixTime start = {1'700'000'000'000}) noexcept : wall_start_(start) {}
  Instant now() const noexcept override { return now_; }
  UnixTime wall() const noexcept override { return wall_start_ + (now_ - Instant{}); }
  void advance(Duration by) noexcept { now_ = now_ + by; }
  /// Lets civil time jump, as an operator or NTP would; monotonic time stays.
  void jump_wall(Duration by) noexcept { wall_start_ = wall_start_ + by; }

 private:
  Instant now_{};
  UnixTime wall_start_;
};

}  // namespace troupe::base
