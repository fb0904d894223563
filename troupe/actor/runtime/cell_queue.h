// CellQueue: cells in the order in which they came, one after the other in memory.
//
// Its core's alone. A cell that is in it is not told so here: who pushes sees to it that it stands there once, so that
// it never holds more than the core has cells. Its room is kept for good.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>

namespace troupe::actor {

class Cell;

class CellQueue {
 public:
  CellQueue() noexcept { begin_at(places_.get(), 0); }

  bool empty() const noexcept { return first_ == end_; }
  void push(Cell& cell) noexcept {
    if (end_ == limit_) [[unlikely]]
      make_room();
    *end_++ = &cell;
  }
  /// The one that came first. Not where it is empty.
  Cell& pop() noexcept {
    Cell& cell = **first_++;
    if (first_ == end_) first_ = end_ = places_.get();
    return cell;
  }

 private:
  void begin_at(Cell** begin, std::size_t size) noexcept {
    first_ = begin;
    end_ = begin + size;
    limit_ = places_.get() + capacity_;
  }
  // Where half of the room is spent the rest moves up, else the room doubles: O(1) a cell on average.
  [[gnu::noinline]] void make_room() noexcept {
    const auto size = static_cast<std::size_t>(end_ - first_);
    if (size * 2 <= capacity_) {
      std::copy(first_, end_, places_.get());
    } else {
      capacity_ *= 2;
      auto larger = std::make_unique_for_overwrite<Cell*[]>(capacity_);
      std::copy(first_, end_, larger.get());
      places_ = std::move(larger);
    }
    begin_at(places_.get(), size);
  }

  std::size_t capacity_ = 64;
  std::unique_ptr<Cell*[]> places_ = std::make_unique_for_overwrite<Cell*[]>(capacity_);
  Cell** first_;
  Cell** end_;
  Cell** limit_;
};

}  // namespace troupe::actor
