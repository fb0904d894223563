// ShortQueue: a queue with a place for one element within itself, where most of what an idle
// connection is told passes through; more stand in one block of memory.
//
// Elements stay in order. Erasing from the middle moves all later elements, so callers keep
// it bounded. T is cheap to make without arguments, and one that is made so holds nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace troupe::realtime {

template <class T>
class ShortQueue {
 public:
  bool empty() const noexcept { return first_ == end_; }
  std::size_t size() const noexcept { return end_ - first_; }
  /// Elements that have a place without more memory, those that have left counted too.
  std::size_t capacity() const noexcept { return capacity_; }

  T* begin() noexcept { return places() + first_; }
  T* end() noexcept { return places() + end_; }
  const T* begin() const noexcept { return places() + first_; }
  const T* end() const noexcept { return places() + end_; }

  T& front() noexcept { return *begin(); }
  const T& front() const noexcept { return *begin(); }
  T& back() noexcept { return end()[-1]; }
  T& operator[](std::size_t index) noexcept { return begin()[index]; }
  const T& operator[](std::size_t index) const noexcept { return begin()[index]; }

  void push_back(T item) {
    if (end_ == capacity_) [[unlikely]]
      make_room();
    std::construct_at(places() + end_++, std::move(item));  // over a T{}, which holds nothing
  }

  void insert(std::size_t index, T item) {
    if (end_ == capacity_) make_room();
    std::move_backward(begin() + index, end(), end() + 1);
    ++end_;
    (*this)[index] = std::move(item);
  }

  void drop_front() {
    places()[first_++] = T{};
    if (empty()) begin_again();
  }
  void clear() {
    std::fill(begin(), end(), T{});
    begin_again();
  }

  /// Erases all elements for which `unwanted` holds.
  template <class Unwanted>
  void erase_if(Unwanted unwanted) {
    T* rest = std::remove_if(begin(), end(), unwanted);
    std::fill(rest, end(), T{});
    end_ = static_cast<std::uint32_t>(rest - places());
    if (empty()) begin_again();
  }

  /// Gives the block back while nothing stands in it.
  void rest() noexcept {
    if (!empty() || block_ == nullptr) return;
    block_.reset();
    capacity_ = within;
    first_ = end_ = 0;
  }

 private:
  static constexpr std::uint32_t within = 1;
  static constexpr std::uint32_t block_min = 4;
  static constexpr std::uint32_t capacity_kept_max = 16;

  T* places() noexcept { return block_ ? block_.get() : own_.data(); }
  const T* places() const noexcept { return block_ ? block_.get() : own_.data(); }

  // It is empty; a large block is given back.
  void begin_again() noexcept {
    first_ = end_ = 0;
    if (capacity_ > capacity_kept_max) [[unlikely]]
      rest();
  }

  // Once half of the block is spent, the rest moves to its front instead of growing: O(1) an element on average.
  void make_room() {
    const auto count = static_cast<std::uint32_t>(size());
    if (first_ >= std::max(capacity_ / 2, within)) {
      std::move(begin(), end(), places());
    } else {
      const auto capacity = std::max(capacity_ * 2, block_min);
      auto block = std::make_unique<T[]>(capacity);
      std::move(begin(), end(), block.get());
      block_ = std::move(block);
      capacity_ = capacity;
    }
    first_ = 0;
    end_ = count;
  }

  std::unique_ptr<T[]> block_;  // null while what waits has room in `own_`
  std::uint32_t first_ = 0;     // before it stand elements that have left
  std::uint32_t end_ = 0;
  std::uint32_t capacity_ = within;
  std::array<T, within> own_{};
};

}  // namespace troupe::realtime
