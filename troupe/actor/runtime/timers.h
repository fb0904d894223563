// Timers: a hierarchical wheel of intrusive nodes; arming and disarming cost O(1).
//
// Owned by one core. Resolution 1 ms, rounded up: a timer never fires early. Eight levels
// of 64 slots reach further than any clock. A node lives in its owner's object; destroying
// the node disarms it, so a timer cannot outlive what it would touch.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "troupe/base/clock.h"

namespace troupe::actor {

class TimerWheel;

class TimerNode {
 public:
  /// `fire` is called once when the time has come, with the node already disarmed; it may arm it again.
  using Fire = void (*)(TimerNode& node) noexcept;

  explicit TimerNode(Fire fire) noexcept : fire_(fire) {}
  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;
  ~TimerNode();

  bool armed() const noexcept { return wheel_ != nullptr; }

 private:
  friend class TimerWheel;
  TimerNode() noexcept : prev_(this), next_(this) {}

  TimerNode* prev_ = nullptr;
  TimerNode* next_ = nullptr;
  TimerWheel* wheel_ = nullptr;
  std::int64_t tick_ = 0;
  Fire fire_ = nullptr;
  std::uint16_t slot_ = 0;
};

class TimerWheel {
 public:
  explicit TimerWheel(base::Instant start) noexcept;
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  /// Disarms every node that is still in the wheel.
  ~TimerWheel();

  /// Arms (or arms anew) `node` for `when`; a time that has passed means the next `advance`.
  void arm(TimerNode& node, base::Instant when) noexcept;
  void disarm(TimerNode& node) noexcept;

  /// Fires what is due at `now`, in order of time. Nodes armed meanwhile for a time that has passed wait for the
  /// next call, so a timer that arms itself cannot hold the core. Returns how many fired.
  std::size_t advance(base::Instant now) noexcept;

  /// Not later than the next timer's time; nothing when no timer is armed.
  std::optional<base::Instant> next() const noexcept;
  std::size_t size() const noexcept { return size_; }

 private:
  static constexpr int bits = 6;
  static constexpr int slots = 1 << bits;
  static constexpr int levels = 8;

  struct Expiry {
    int level;
    int slot;
    std::int64_t tick;
  };

  static std::int64_t tick_of(base::Instant when) noexcept;
  std::optional<Expiry> next_expiry() const noexcept;
  void place(TimerNode& node) noexcept;
  void unlink(TimerNode& node) noexcept;

  std::int64_t now_tick_;
  std::size_t size_ = 0;
  std::array<std::uint64_t, levels> occupied_{};
  TimerNode heads_[levels * slots];
};

}  // namespace troupe::actor
