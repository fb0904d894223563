// See timers.h. Level L holds timers whose tick first differs from the present one in its
// L-th group of six bits; when time enters a slot of a higher level, its timers move down.
#include "troupe/actor/runtime/timers.h"

#include <bit>

namespace troupe::actor {

TimerWheel::TimerWheel(base::Instant start) noexcept : now_tick_(start.nanoseconds / 1'000'000) {}

TimerWheel::~TimerWheel() {
  for (auto& head : heads_) {
    while (head.next_ != &head) disarm(*head.next_);
  }
}

std::int64_t TimerWheel::tick_of(base::Instant when) noexcept {
  if (when.nanoseconds >= INT64_MAX - 1'000'000) return INT64_MAX / 1'000'000;
  return (when.nanoseconds + 999'999) / 1'000'000;
}

base::Instant TimerWheel::instant_of(std::int64_t tick) noexcept {
  return tick <= INT64_MAX / nanoseconds_a_tick ? base::Instant{tick * nanoseconds_a_tick} : base::Instant::never();
}

void TimerWheel::place(TimerNode& node) noexcept {
  const auto differing = static_cast<std::uint64_t>(node.tick_ ^ now_tick_) | (slots - 1);
  const int level = std::min((63 - std::countl_zero(differing)) / bits, levels - 1);
  const int slot = static_cast<int>(node.tick_ >> (level * bits)) & (slots - 1);
  node.slot_ = static_cast<std::uint16_t>(level * slots + slot);
  occupied_[static_cast<std::size_t>(level)] |= std::uint64_t{1} << slot;
  link(heads_[node.slot_], node);
}

/// Places what has waited in front of the wheel; none of it is due yet.
void TimerWheel::sweep() noexcept {
  TimerNode& head = heads_[waiting];
  while (head.next_ != &head) {
    TimerNode& node = *head.next_;
    unlink(node);
    node.wheel_ = this;
    ++size_;
    node.tick_ = std::max(tick_of(base::Instant{node.tick_}), now_tick_ + 1);
    place(node);
  }
}

std::optional<TimerWheel::Expiry> TimerWheel::next_expiry() const noexcept {
  for (int level = 0; level < levels; ++level) {
    const std::uint64_t occupied = occupied_[static_cast<std::size_t>(level)];
    if (occupied == 0) continue;
    // A lower level always expires first, and within one the slots ahead of the present one do.
    const int present = static_cast<int>(now_tick_ >> (level * bits)) & (slots - 1);
    const int ahead = std::countr_zero(std::rotr(occupied, present));
    const int slot = (present + ahead) & (slots - 1);
    const std::int64_t range = std::int64_t{1} << (level * bits);
    const std::int64_t tick = ((now_tick_ >> (level * bits)) + ahead) * range;
    return Expiry{level, slot, std::max(tick, now_tick_)};
  }
  return std::nullopt;
}

std::size_t TimerWheel::advance(base::Instant now) noexcept {
  const std::int64_t target = now.nanoseconds / 1'000'000;
  std::size_t fired = 0;
  while (now_tick_ <= target) {
    const auto expiry = next_expiry();
    // In the same tick the wheel goes first: what waits must not be placed below a level that has yet to move down.
    if (anything_waits() && sweep_tick_ <= target && (!expiry || sweep_tick_ < expiry->tick)) {
      now_tick_ = std::max(now_tick_, sweep_tick_);
      sweep();
      continue;
    }
    if (!expiry || expiry->tick > target) break;
    now_tick_ = expiry->tick;
    TimerNode& head = heads_[static_cast<std::size_t>(expiry->level * slots + expiry->slot)];
    while (head.next_ != &head) {
      TimerNode& node = *head.next_;
      unlink(node);
      if (expiry->level == 0) {
        node.fire_(node);
        ++fired;
      } else {
        node.wheel_ = this;
        ++size_;
        place(node);
      }
    }
  }
  now_tick_ = std::max(now_tick_, target);
  return fired;
}

std::optional<base::Instant> TimerWheel::next() const noexcept {
  // A core that sleeps should wake for a timer, not to sort others, so a short list is looked through for its first.
  // A long one belongs to a core that has much to do, and is sorted at the next sweep or slot.
  const auto first_in = [](const TimerNode& head, std::int64_t otherwise) {
    std::int64_t first = INT64_MAX;
    int left = 8;
    for (const TimerNode* node = head.next_; node != &head; node = node->next_) {
      if (left-- == 0) return otherwise;
      first = std::min(first, node->tick_);
    }
    return first;
  };
  std::int64_t tick = INT64_MAX;
  if (const auto expiry = next_expiry())
    tick = first_in(heads_[static_cast<std::size_t>(expiry->level * slots + expiry->slot)], expiry->tick);
  if (anything_waits())
    tick = std::min(tick, tick_of(base::Instant{first_in(heads_[waiting], instant_of(sweep_tick_).nanoseconds)}));
  if (tick == INT64_MAX) return std::nullopt;
  return instant_of(tick);
}

}  // namespace troupe::actor
