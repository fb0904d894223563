// Stats: what one core counts for each type of actor. Written by that core alone, read by any thread.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <string_view>

namespace troupe::actor {

/// A number with one writer: an ordinary load, add and store, which readers on other threads may watch.
class Tally {
 public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// The same for a number that goes up and down, such as a mailbox's depth.
class Watched {
 public:
  operator std::uint32_t() const noexcept { return value_.load(std::memory_order_relaxed); }
  Watched& operator=(std::uint32_t n) noexcept {
    value_.store(n, std::memory_order_relaxed);
    return *this;
  }
  Watched& operator++() noexcept { return *this = *this + 1; }
  Watched& operator--() noexcept { return *this = *this - 1; }

 private:
  std::atomic<std::uint32_t> value_{0};
};

/// What the actor that runs does, by name: its message, or what a callback is called.
struct Doing {
  const struct ActorType* actor = nullptr;  // null: a message of the runtime
  std::string_view what;
};

/// Why a message was not handled.
enum class Drop : std::uint8_t {
  oldest,
  newest,
  full,
  park_expired,
  expired,
  dead,
  stopped,
  late_reply,
  unwanted,    // its asker has gone
  deadlock,    // it stood in a cycle of waiting
  unroutable,  // a broadcast of what cannot be copied, or of an ask
};
inline constexpr std::size_t drop_reasons = 11;
std::string_view name_of(Drop reason) noexcept;

/// How long handlers run until they end or first wait, in powers of two of ns, 64 ns to 34 s; one in 64 is measured.
inline constexpr std::size_t time_buckets = 30;

/// So many classes of actors may be in one process; the next one fails an invariant at its first spawn.
inline constexpr std::size_t types_max = 4096;

/// How long messages were handled: bucket i counts those below 64 << i nanoseconds.
struct HandlingTime {
  std::array<std::uint64_t, time_buckets> buckets{};
  std::uint64_t nanoseconds = 0;

  void add(std::uint64_t took) noexcept {
    ++buckets[std::min(static_cast<std::size_t>(std::bit_width(took >> 6)), time_buckets - 1)];
    nanoseconds += took;
  }
  std::uint64_t count() const noexcept {
    std::uint64_t sum = 0;
    for (const std::uint64_t n : buckets) sum += n;
    return sum;
  }
};

struct TypeStats {
  Tally spawned;
  Tally stopped;
  Tally handled;
  Tally failed;
  Tally restarted;
  mutable Tally stalled;  // a core held too long; written by the watchdog alone
  Tally cancelled;        // handlers that were ended because nobody waited for their answer any more
  std::array<Tally, drop_reasons> dropped;
  std::array<Tally, time_buckets> handling_time;
  Tally handling_nanoseconds;
};

}  // namespace troupe::actor
