// Ring: how one core hands batches to one other core. One producer, one consumer, no lock.
//
// An entry is two chains: messages for the consumer, and blocks of the consumer's pool that
// come home. A batch costs one release store and one acquire load however long its chains are.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

#include "troupe/actor/runtime/envelope.h"

namespace troupe::actor {

struct Chains {
  Envelope* messages = nullptr;
  Envelope* returned = nullptr;
};

class Ring {
 public:
  static constexpr std::size_t capacity = 256;

  /// Producer's thread. False: the ring is full and the batch remains the caller's.
  bool push(Chains chains) noexcept {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ == capacity) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail - head_seen_ == capacity) return false;
    }
    entries_[tail % capacity] = chains;
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  /// Consumer's thread. False: nothing is there.
  bool pop(Chains& chains) noexcept {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    chains = entries_[head % capacity];
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  /// Any thread; exact on the consumer's.
  bool empty() const noexcept { return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_acquire); }

 private:
  alignas(64) std::atomic<std::size_t> tail_{0};
  std::size_t head_seen_ = 0;
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::array<Chains, capacity> entries_{};
};

}  // namespace troupe::actor
