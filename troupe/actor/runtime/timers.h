// Timers: a hierarchical wheel of intrusive nodes; arming and disarming cost O(1).
//
// Owned by one core. Resolution 1 ms, rounded up: a timer never fires early. Eight levels
// of 64 slots reach further than any clock. Most timers are deadlines that never come, so
// a node whose time is far waits in front of the wheel first, and is placed only if it is
// still there at the next sweep. A node lives in its owner's object; destroying the node
// disarms it, so a timer cannot outlive what it would touch.
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
  void arm(TimerNode& node, base::Instant when) noexcept {
    if (node.wheel_ != nullptr) unlink(node);
    node.wheel_ = this;
    ++size_;
    if (when.nanoseconds / nanoseconds_a_tick < now_tick_ + 2 * sweep_ticks) {
      node.tick_ = std::max(tick_of(when), now_tick_ + 1);
      place(node);
      return;
    }
    node.tick_ = when.nanoseconds;  // a tick only when it is placed
    node.slot_ = waiting;
    if (!anything_waits()) sweep_tick_ = now_tick_ + sweep_ticks;
    link(heads_[waiting], node);
  }
  void disarm(TimerNode& node) noexcept {
    if (node.wheel_ != nullptr) unlink(node);
  }

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
  static constexpr std::uint16_t waiting = levels * slots;  // the list in front of the wheel
  static constexpr std::int64_t nanoseconds_a_tick = 1'000'000;
  static constexpr std::int64_t sweep_ticks = 32;  // most asks are answered sooner

  struct Expiry {
    int level;
    int slot;
    std::int64_t tick;
  };

  static std::int64_t tick_of(base::Instant when) noexcept;
  /// When a tick begins; `never` behind the last one that an Instant can be in.
  static base::Instant instant_of(std::int64_t tick) noexcept;
  static void link(TimerNode& head, TimerNode& node) noexcept {
    node.prev_ = head.prev_;
    node.next_ = &head;
    head.prev_->next_ = &node;
    head.prev_ = &node;
  }
  std::optional<Expiry> next_expiry() const noexcept;
  bool anything_waits() const noexcept { return heads_[waiting].next_ != &heads_[waiting]; }
  void place(TimerNode& node) noexcept;
  void sweep() noexcept;
  void unlink(TimerNode& node) noexcept {
    node.prev_->next_ = node.next_;
    node.next_->prev_ = node.prev_;
    node.wheel_ = nullptr;
    --size_;
    if (node.slot_ == waiting) return;
    TimerNode& head = heads_[node.slot_];
    if (head.next_ == &head) occupied_[node.slot_ / slots] &= ~(std::uint64_t{1} << (node.slot_ % slots));
  }

  std::int64_t now_tick_;
  std::size_t size_ = 0;
  std::array<std::uint64_t, levels> occupied_{};
  std::int64_t sweep_tick_ = 0;  // when what waits is placed; meaningless while nothing does
  TimerNode heads_[levels * slots + 1];
};

inline TimerNode::~TimerNode() {
  if (wheel_ != nullptr) wheel_->disarm(*this);
}

}  // namespace troupe::actor
