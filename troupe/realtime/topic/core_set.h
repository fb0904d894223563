// CoreSet: a few of the cores, in one word: of users there are many.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "troupe/base/check.h"
#include "troupe/realtime/topic/router_messages.h"

namespace troupe::realtime {

class CoreSet {
 public:
  static constexpr CoreIndex cores_max = 64;

  bool empty() const noexcept { return bits_ == 0; }
  void insert(CoreIndex core) { bits_ |= bit(core); }
  void erase(CoreIndex core) { bits_ &= ~bit(core); }
  bool contains(CoreIndex core) const { return (bits_ & bit(core)) != 0; }
  std::size_t size() const noexcept { return static_cast<std::size_t>(std::popcount(bits_)); }
  /// Takes the first out; there must be one.
  CoreIndex take_first() noexcept {
    const auto first = static_cast<CoreIndex>(std::countr_zero(bits_));
    bits_ &= bits_ - 1;
    return first;
  }
  /// In ascending order.
  std::vector<CoreIndex> listed() const {
    std::vector<CoreIndex> cores;
    for (CoreIndex core = 0; core < cores_max; ++core) {
      if ((bits_ & bit(core)) != 0) cores.push_back(core);
    }
    return cores;
  }

 private:
  static std::uint64_t bit(CoreIndex core) {
    INVARIANT(core < cores_max, "there are at most 64 cores");
    return std::uint64_t{1} << core;
  }

  std::uint64_t bits_ = 0;
};

}  // namespace troupe::realtime
