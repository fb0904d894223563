// RunLine: the actors of a core that have messages and wait for their turn, and how many messages each is given.
//
// Its core's alone; an actor stands in it once, linked by Cell::run_next. However many stand in it, all of them have
// their turn within the messages, and about the time, of one turn of the core: so nobody who is asked lets the asker
// wait for longer. Where few stand in it each is given many in a row, which is cheaper; where more stand in it than a
// turn has messages each is given one.
#pragma once

#include <algorithm>
#include <utility>

#include "troupe/actor/runtime/cell.h"

namespace troupe::actor {

class RunLine {
 public:
  static constexpr int in_a_row_max = 16;

  /// `round`: how many messages a turn has at most.
  explicit RunLine(int round) noexcept : round_max_(round), round_(round) {}
  RunLine(const RunLine&) = delete;
  RunLine& operator=(const RunLine&) = delete;

  bool empty() const noexcept { return first_ == nullptr; }
  /// Who waits longest; null where nobody does.
  Cell* first() const noexcept { return first_; }
  /// Not one that stands in it.
  void push(Cell& cell) noexcept {
    cell.run_next = nullptr;
    *end_ = &cell;
    end_ = &cell.run_next;
    ++size_;
  }
  /// Takes out the first. Null where nobody waits.
  Cell* pop() noexcept {
    Cell* cell = first_;
    if (cell == nullptr) return nullptr;
    first_ = cell->run_next;
    if (first_ == nullptr) end_ = &first_;
    --size_;
    return cell;
  }
  /// Lets one that stands in it jump the queue. O(its place).
  void put_first(Cell& cell) noexcept {
    if (first_ == &cell) return;
    Cell* before = first_;
    while (before->run_next != &cell) before = before->run_next;
    before->run_next = cell.run_next;
    if (end_ == &cell.run_next) end_ = &before->run_next;
    cell.run_next = std::exchange(first_, &cell);
  }

  /// How many messages the next may have, 1 to `in_a_row_max`.
  int share() const noexcept { return size_ * in_a_row_max <= round_ ? in_a_row_max : std::max(1, round_ / size_); }
  /// A turn is over, with so many messages. One that its time has ended shows how many there are in a turn; another
  /// one, that there are at least so many.
  void note_turn(int messages, bool out_of_time) noexcept {
    round_ = std::min(round_max_, out_of_time ? std::max(messages, in_a_row_max) : std::max(messages, round_));
  }

 private:
  Cell* first_ = nullptr;
  Cell** end_ = &first_;  // where the next one is linked
  int size_ = 0;
  const int round_max_;
  int round_;  // so many messages a turn has time for
};

}  // namespace troupe::actor
