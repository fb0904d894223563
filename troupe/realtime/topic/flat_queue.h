// FlatQueue: a queue in one block of memory that costs nothing while it is empty.
//
// For queues of which there are many and most are empty: one a topic, some a connection.
// Elements stay in order. Erasing from the middle moves all later elements, so callers keep
// such queues bounded.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace troupe::realtime {

template <class T>
class FlatQueue {
 public:
  bool empty() const noexcept { return first_ == items_.size(); }
  std::size_t size() const noexcept { return items_.size() - first_; }
  /// Elements that have a place without more memory, those that have left counted too.
  std::size_t capacity() const noexcept { return items_.capacity(); }

  T& front() noexcept { return items_[first_]; }
  const T& front() const noexcept { return items_[first_]; }
  T& back() noexcept { return items_.back(); }
  T& operator[](std::size_t index) noexcept { return items_[first_ + index]; }
  const T& operator[](std::size_t index) const noexcept { return items_[first_ + index]; }

  auto begin() const noexcept { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto end() const noexcept { return items_.end(); }
  auto begin() noexcept { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto end() noexcept { return items_.end(); }

  void push_back(T item) {
    if (items_.size() == items_.capacity()) [[unlikely]]
      make_room();
    items_.push_back(std::move(item));
  }

  T pop_front() {
    T item = std::move(items_[first_]);
    drop_front();
    return item;
  }
  void drop_front() {
    if (first_ + 1 == items_.size()) return clear();
    items_[first_++] = T{};
  }

  void erase(std::size_t index) {
    items_.erase(begin() + static_cast<std::ptrdiff_t>(index));
    if (empty()) clear();
  }

  /// Erases all elements for which `unwanted` holds.
  template <class Unwanted>
  void erase_if(Unwanted unwanted) {
    items_.erase(std::remove_if(begin(), end(), unwanted), end());
    if (empty()) clear();
  }

  /// Empties the queue and gives a large block back.
  void clear() noexcept {
    items_.clear();
    first_ = 0;
    if (items_.capacity() > capacity_kept_max) [[unlikely]]
      items_ = {};
  }

 private:
  static constexpr std::size_t capacity_kept_max = 16;

  // Once half of the block is spent, the rest moves to its front instead of growing: O(1) an element on average.
  void make_room() {
    if (items_.capacity() == 0) return items_.reserve(4);
    if (first_ < items_.size() / 2) return;
    items_.erase(items_.begin(), begin());
    first_ = 0;
  }

  std::vector<T> items_;
  std::size_t first_ = 0;  // before it stand elements that have left
};

}  // namespace troupe::realtime
