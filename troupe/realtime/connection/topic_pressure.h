// TopicPressure: how many connections of one core cannot keep up with each topic, so that its home is told of the
// first and of the last.
//
// Part of a core's ConnectionSite. Most of the time nothing is pressed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "troupe/realtime/protocol/topic_name.h"

namespace troupe::realtime {

class TopicPressure {
 public:
  enum class Added : std::uint8_t { first, further };
  enum class Removed : std::uint8_t { last, not_last };

  /// A connection that has not said so before.
  Added add(const std::string& topic) { return ++connections_[topic] == 1 ? Added::first : Added::further; }

  /// One that has.
  Removed remove(const std::string& topic) {
    auto found = connections_.find(topic);
    if (--found->second > 0) return Removed::not_last;
    connections_.erase(found);
    return Removed::last;
  }

  bool empty() const noexcept { return connections_.empty(); }

  /// The topics of each of `homes` homes.
  std::vector<std::vector<std::string>> by_home(std::size_t homes) const {
    std::vector<std::vector<std::string>> topics(homes);
    for (const auto& [topic, count] : connections_) topics[home_of(topic, homes)].push_back(topic);
    return topics;
  }

 private:
  std::map<std::string, std::size_t> connections_;
};

}  // namespace troupe::realtime
