// JoinedFrames: what many connections write in one turn, frame after frame, as one piece of memory.
//
// Subscribers of a busy topic all write the same frames at the end of a turn. Whoever is the second to ask for them
// has them copied behind each other, once; all others write that piece, and the kernel takes it faster than as many
// parts. It holds its frames until forget(), so no other frame can stand at their address. Owned by the core's
// TurnWriters; empty between turns.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/realtime/topic/local_frame.h"

namespace troupe::realtime {

class JoinedFrames {
 public:
  static constexpr std::size_t frames_min = 3;         // fewer are written as they are
  static constexpr std::size_t bytes_max = 64 * 1024;  // of a piece; what is larger is copied fast enough in parts
  static constexpr std::size_t runs_max = 4;           // by name and by pattern, of more than one topic

  /// The bytes of the frames of `waiting`, each in a member `frame`, if somebody has asked for the same frames in this
  /// order before; else nothing. Valid until anything else is called.
  template <class Waiting>
  std::string_view of(std::span<const Waiting> waiting) {
    const auto is_same = [](const FrameRef& frame, const Waiting& other) { return frame.is(other.frame); };
    for (std::size_t i = 0; i < used_; ++i) {
      auto& run = runs_[i];
      if (std::ranges::equal(run.frames, waiting, is_same)) return run.piece();
    }
    note(waiting);
    return {};
  }
  void forget() noexcept;

 private:
  struct Run {
    std::vector<FrameRef> frames;
    std::string bytes;  // empty until they are asked for again

    std::string_view piece();
  };

  template <class Waiting>
  void note(std::span<const Waiting> waiting) {
    std::size_t bytes = 0;
    for (const auto& other : waiting) bytes += other.frame->bytes.size();
    if (bytes > bytes_max) return;
    auto& run = runs_[next_];
    next_ = (next_ + 1) % runs_max;
    used_ = std::max(used_, next_ == 0 ? runs_max : next_);
    run.bytes.clear();
    run.frames.clear();
    for (const auto& other : waiting) run.frames.push_back(other.frame);
  }

  std::array<Run, runs_max> runs_;
  std::size_t used_ = 0;
  std::size_t next_ = 0;  // the one that gives way
};

}  // namespace troupe::realtime
