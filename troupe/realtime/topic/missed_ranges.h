// MissedRanges: what a home did not hand to a core that is behind, as ranges by topic.
//
// A core may be behind for long while ever so many topics are published to, so adding costs no more with each of them.
// Owned by the window of one core.
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "troupe/realtime/topic/router_messages.h"

namespace troupe::realtime {

class MissedRanges {
 public:
  bool empty() const noexcept { return ranges_.empty(); }

  /// A publication was not handed over; those of one topic in their order.
  void add(const TopicName& topic, const Position& position) {
    const auto& [epoch, offset] = position;
    auto [place, fresh] = newest_.try_emplace(topic, ranges_.size());
    if (!fresh) {
      auto& range = ranges_[place->second];
      if (range.epoch == epoch && range.to + 1 == offset) {
        range.to = offset;
        return;
      }
      place->second = ranges_.size();
    }
    ranges_.push_back({topic, epoch, offset, offset});
  }

  /// All of them, in the order in which they began. Nothing is missed any more.
  std::vector<Missed> take() {
    newest_.clear();
    return std::exchange(ranges_, {});
  }

 private:
  std::vector<Missed> ranges_;
  std::map<TopicName, std::size_t> newest_;  // the last range of each topic
};

}  // namespace troupe::realtime
