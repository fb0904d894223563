// Host: what a core may ask of the system it belongs to. The system implements it, so that no arrow points up.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "troupe/actor/runtime/dead_letter.h"
#include "troupe/actor/runtime/provisions.h"
#include "troupe/base/check.h"

namespace troupe::actor {

class Core;
class TopicDirectory;

/// Runs jobs that may block, away from the cores.
class Offload {
 public:
  virtual ~Offload() = default;
  /// Any core's thread. False: as many jobs wait as may wait, and this one was not taken.
  virtual bool submit(Core& from, std::move_only_function<void()> job) = 0;
};

/// Wakes the watchdog (watchdog.h) with the first core that wakes. Any thread.
class WakeBell {
 public:
  void ring() noexcept {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!asleep_.load(std::memory_order_relaxed)) return;
    asleep_.store(false, std::memory_order_relaxed);
    asleep_.notify_all();
  }
  /// Returns with the next ring, or at once where `awake` says that somebody is. The watchdog's thread.
  template <class F>
  void sleep_unless(F&& awake) noexcept {
    asleep_.store(true, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (awake()) asleep_.store(false, std::memory_order_relaxed);
    asleep_.wait(true, std::memory_order_relaxed);
  }
  bool is_asleep() const noexcept { return asleep_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> asleep_{false};
};

class Host : public Provisions {
 public:
  virtual ~Host() = default;
  /// The root of the tree failed, or a fault was escalated to it: the system must end, and not as a success.
  virtual void root_failed(const std::string& why) = 0;
  /// The root and with it every actor has ended. On the root's core.
  virtual void root_stopped() = 0;
  /// Something an operator should know: a fault and what was decided, a child that did not stop in time.
  virtual void report(const std::string& what) = 0;

  /// The topics of the system; any thread.
  virtual TopicDirectory& topics() noexcept = 0;

  /// Whether a foreign thread may really wait for room in a mailbox; not where one thread plays all parts.
  virtual bool threads_may_wait() const noexcept { return true; }

  /// From now on `listener` is told of what is dropped, on each core; null: nobody is. Any thread.
  void hear_dead_letters(DeadLetterListener listener) noexcept {
    dead_letter_listener_.store(listener, std::memory_order_relaxed);
  }
  DeadLetterListener dead_letter_listener() const noexcept {
    return dead_letter_listener_.load(std::memory_order_relaxed);
  }

  /// The core of this system whose thread this is. Null on any other thread, for which a core of another system counts.
  Core* here() const noexcept;
  WakeBell& bell() noexcept { return bell_; }
  /// `index` counts from 0. One that this system does not have is our bug: an actor that was to live there.
  Core& core(std::size_t index) noexcept {
    INVARIANT(index < cores_.size(),
              "this system has no core of that number: they count from 0 (SystemOptions::cores)");
    return *cores_[index];
  }
  std::size_t core_count() const noexcept { return cores_.size(); }
  Offload& offload() noexcept { return *offload_; }

 protected:
  std::vector<std::unique_ptr<Core>> cores_;
  std::unique_ptr<Offload> offload_;

 private:
  WakeBell bell_;
  std::atomic<DeadLetterListener> dead_letter_listener_{nullptr};
};

}  // namespace troupe::actor
