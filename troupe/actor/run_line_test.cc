// The line of those who wait for their turn: its order, and that a round of it is no longer than a turn.
#include "troupe/actor/runtime/run_line.h"

#include <doctest/doctest.h>

#include <deque>

#include "troupe/actor/system.h"

using namespace troupe::actor;

namespace {

/// A line of so many, on a core whose turns have 1024 messages at most.
struct Waiting {
  explicit Waiting(int size) {
    for (int i = 0; i < size; ++i) line.push(cells.emplace_back(system.core(0), static_cast<std::uint32_t>(i)));
  }
  /// What all of them are given in one round.
  int round() {
    int messages = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      messages += line.share();
      line.push(*line.pop());
    }
    return messages;
  }

  System system{{.cores = 1}};  // a cell has a core, which here knows nothing of it
  std::deque<Cell> cells;
  RunLine line{1024};
};

}  // namespace

TEST_CASE("who waits longest comes first, unless one jumps the queue") {
  Waiting waiting{4};
  waiting.line.put_first(waiting.cells[2]);
  waiting.line.put_first(waiting.cells[3]);
  waiting.line.push(*waiting.line.pop());
  for (const std::size_t place : {2u, 0u, 1u, 3u}) CHECK_EQ(waiting.line.pop(), &waiting.cells[place]);
  CHECK(waiting.line.empty());
  CHECK_EQ(waiting.line.pop(), nullptr);
  waiting.line.push(waiting.cells[1]);
  CHECK_EQ(waiting.line.first(), &waiting.cells[1]);
}

TEST_CASE("few are given sixteen messages in a row, more so many that all have their turn within a turn's messages") {
  for (const auto& [size, share] :
       {std::pair{1, 16}, {2, 16}, {64, 16}, {65, 15}, {100, 10}, {512, 2}, {513, 1}, {1024, 1}, {3000, 1}}) {
    CAPTURE(size);
    Waiting waiting{size};
    CHECK_EQ(waiting.line.share(), share);
    CHECK_LE(waiting.round(), std::max(1024, size));
  }
}

TEST_CASE("a turn that its time has ended makes rounds as short as it was, and a longer one lets them grow again") {
  Waiting waiting{64};
  waiting.line.note_turn(320, true);
  CHECK_EQ(waiting.line.share(), 5);
  waiting.line.note_turn(200, false);  // no more than that were there, which shows nothing
  CHECK_EQ(waiting.line.share(), 5);
  waiting.line.note_turn(640, false);
  CHECK_EQ(waiting.line.share(), 10);
  waiting.line.note_turn(1030, false);  // a batch may be over the bound
  CHECK_EQ(waiting.line.share(), 16);
  waiting.line.note_turn(1, true);
  CHECK_EQ(waiting.line.share(), 1);
}
