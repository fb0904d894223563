// Tenancy: which of a cell's successive tenants lives there, and which credits it offers to other cores, in one word.
//
// The owner core writes it; other cores and threads read it and take credits out of it. Since
// both stand in one word, nobody takes credits of a tenant that he does not mean. Nothing else
// is published by it, so relaxed order suffices.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace troupe::actor {

/// By which way other cores send to a mailbox.
struct Passage {
  std::uint32_t offered = 0;  // credits that anybody may take
  bool on_credit = false;     // false: as it comes, the mailbox drops what it has no room for
  bool blocks = false;        // who has no credit parks; else it is told `full`
  std::uint8_t unit = 0;      // a credit stands for 64 << 2 * (unit - 1) bytes too; 0: for one message of any size
};

class Tenancy {
 public:
  /// The generation.
  std::uint32_t load(std::memory_order order) const noexcept { return static_cast<std::uint32_t>(word_.load(order)); }
  /// The next tenant, who offers nothing yet.
  void store(std::uint32_t generation, std::memory_order order) noexcept { word_.store(generation, order); }

  /// What the tenant of that generation offers; nothing on credit if it is gone.
  Passage passage(std::uint32_t generation) const noexcept {
    return decode(word_.load(std::memory_order_relaxed), generation);
  }
  std::uint32_t offered() const noexcept {
    return static_cast<std::uint32_t>(word_.load(std::memory_order_relaxed) >> 32) & count;
  }

  /// Owner: from now on messages come on credit, or not any more.
  void open(Passage passage) noexcept {
    const std::uint32_t flags = (passage.on_credit ? credit : 0) | (passage.blocks ? block : 0);
    const std::uint32_t terms = flags | static_cast<std::uint32_t>(passage.unit) << unit_shift | passage.offered;
    word_.store(std::uint64_t{terms} << 32 | load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
  /// Owner: offers so many more.
  void offer(std::uint32_t n) noexcept { word_.fetch_add(std::uint64_t{n} << 32, std::memory_order_relaxed); }

  /// Takes up to `most` credits, no more than a share of what is there, and none if that is less than `least`.
  std::uint32_t take(std::uint32_t generation, std::uint32_t least, std::uint32_t most, std::uint32_t share) noexcept {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
      const Passage there = decode(word, generation);
      const std::uint32_t n = std::min(most, std::max(least, there.offered / share));
      if (n == 0 || there.offered < least) return 0;
      const std::uint32_t taken = std::min(n, there.offered);
      if (word_.compare_exchange_weak(word, word - (std::uint64_t{taken} << 32), std::memory_order_relaxed))
        return taken;
    }
  }

 private:
  static constexpr std::uint32_t credit = 1u << 31;
  static constexpr std::uint32_t block = 1u << 30;
  static constexpr int unit_shift = 26;
  static constexpr std::uint32_t count = (1u << unit_shift) - 1;

  static Passage decode(std::uint64_t word, std::uint32_t generation) noexcept {
    if (static_cast<std::uint32_t>(word) != generation) return {};
    const auto terms = static_cast<std::uint32_t>(word >> 32);
    return {.offered = terms & count,
            .on_credit = (terms & credit) != 0,
            .blocks = (terms & block) != 0,
            .unit = static_cast<std::uint8_t>(terms >> unit_shift & 15)};
  }

  // The generation below, where one instruction compares it; above, what is offered.
  std::atomic<std::uint64_t> word_{1};
};

}  // namespace troupe::actor
