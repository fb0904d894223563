// TurnWriters: the connections of one core that got something in this turn, and write it at its end.
//
// One hook of the core for all of them, so none needs one of its own. Owned by the core's ConnectionSite.
#pragma once

#include <cstdint>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/realtime/connection/joined_frames.h"

namespace troupe::realtime {

class Connection;

class TurnWriters final : private actor::TurnEndHook {
 public:
  /// A connection adds itself once a turn; gives its place, by which it may leave.
  std::uint32_t add(actor::Core& core, Connection& connection) {
    if (waiting_.empty()) core.at_turn_end(*this);
    waiting_.push_back(&connection);
    return static_cast<std::uint32_t>(waiting_.size() - 1);
  }
  /// It ends before its turn has come.
  void remove(const Connection& connection, std::uint32_t place) noexcept;

 private:
  void on_turn_end() override;
  void prefetch_behind(std::size_t place) const noexcept;

  std::vector<Connection*> waiting_;  // null: it has ended
  std::vector<Connection*> writing_;  // while they do
  JoinedFrames joined_;               // what more than one of them writes
};

}  // namespace troupe::realtime
