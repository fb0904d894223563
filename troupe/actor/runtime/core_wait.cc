// See core.h. Here: what a core does between two turns: it looks at its sockets, waits for an answer, or sleeps.
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>

#include "troupe/actor/runtime/core.h"

namespace troupe::actor {
namespace {

/// Lets the other thread of a processor have it while this one only looks.
void relax() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

/// Whether something has come from another thread. Written by others, so reading it costs nothing while nobody does.
bool Core::is_spoken_to() const noexcept {
  if (inbox_filled_.load(std::memory_order_relaxed)) return true;
  return std::any_of(rings_.get(), rings_.get() + lanes_.size(), [](const Ring& ring) { return !ring.empty(); });
}

bool Core::has_work() noexcept {
  if (!line_.empty() || !hurried_.empty() || turn_end_.first != nullptr || !posted_.empty()) return true;
  if (is_spoken_to()) return true;
  for (const Lane& lane : lanes_) {
    if (!lane.messages.empty()) return true;
  }
  const auto next = timers_.next();
  return next && *next <= clock_.read();
}

void Core::poll(std::optional<Duration> timeout) {
  const bool due = poller_->wait(timeout);
  if (rest_.get_up()) host_.bell().ring();
  polled_ = clock_.read();
  if (!due) return;
  clock_.move_to(polled_);  // handlers may set timers and count rates, and the turn that ended may be long past
  poller_->dispatch();
}

/// Another core that this one talks with is likely to answer sooner than a sleeper is woken. Sockets are looked at as
/// often as it would give up looking for an answer.
bool Core::is_answered_soon() {
  const Instant begin = clock_.read();
  const auto next = timers_.next();
  const Duration look = next ? std::min(spin_, *next - begin) : spin_;  // a timer is not kept waiting
  if (begin - polled_ >= spin_) {
    poll(Duration::zero());
    if (has_work()) return true;
  }
  while (clock_.read() - begin < look && !stop_.load(std::memory_order_relaxed)) {
    for (int looks = 0; looks < 16; ++looks) {
      if (is_spoken_to()) return true;
      relax();
    }
  }
  return false;
}

void Core::wait(bool may_wait) {
  const bool converses = std::exchange(converses_, false);
  if (!may_wait || has_work()) return poll(Duration::zero());
  if (converses && spin_ > Duration::zero() && lookout_.is_worth_it()) {
    const bool answered = is_answered_soon();
    lookout_.note(answered);
    if (answered) return;
  }
  rest_.lie_down();
  if (has_work() || stop_.load(std::memory_order_relaxed)) return poll(Duration::zero());
  const auto next = timers_.next();
  poll(next ? std::optional{*next - clock_.read()} : std::nullopt);
}

void Core::run_until_stopped() {
  const Scope scope{*this};
  while (!stop_.load(std::memory_order_acquire)) turn({}, true);
}

void Core::request_stop() noexcept {
  stop_.store(true, std::memory_order_release);
  wake();
}

void Core::wake() noexcept { poller_->wake(); }

}  // namespace troupe::actor
