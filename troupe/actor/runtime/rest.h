// Rest: whether a core sleeps in its poller, so that whoever has something for it wakes it, and only one of them does.
//
// One a core. Its owner lies down, looks once more whether there is work, sleeps, and gets up. Any other thread
// publishes its work first and then asks whether it must wake the owner: one of the two sees the other, since a fence
// stands between both pairs of steps. A wake-up is a system call of about a microsecond, and a second one would find
// nobody asleep.
//
// Lookout: whether its owner looks for an answer before it lies down. As long as answers come it does each time; each
// look in vain doubles how many waits go by without one, so that a core that is told little and answered never sleeps.
#pragma once

#include <algorithm>
#include <atomic>
#include <utility>

namespace troupe::actor {

class Rest {
 public:
  /// Owner, before its last look at what others may have published.
  void lie_down() noexcept {
    lies_ = true;
    sleeps_.store(true, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
  /// Owner. True: it had lain down.
  bool get_up() noexcept {
    if (!std::exchange(lies_, false)) return false;
    sleeps_.store(false, std::memory_order_relaxed);
    return true;
  }
  /// Any thread, after it has published what the owner shall find. True: the caller, and nobody else, must wake it.
  bool is_to_be_woken() noexcept {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return sleeps_.load(std::memory_order_relaxed) && sleeps_.exchange(false, std::memory_order_relaxed);
  }
  /// Any thread. A sleeper that somebody is about to wake counts as awake.
  bool sleeps() const noexcept { return sleeps_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> sleeps_{false};
  bool lies_ = false;
};

class Lookout {
 public:
  bool is_worth_it() noexcept {
    if (left_out_ == 0) return true;
    --left_out_;
    return false;
  }
  /// What the look has shown.
  void note(bool answered) noexcept {
    pause_ = answered ? 0 : std::min(2 * pause_ + 1, pause_max);
    left_out_ = pause_;
  }

 private:
  static constexpr int pause_max = 63;

  int pause_ = 0;
  int left_out_ = 0;
};

}  // namespace troupe::actor
