// PresenceWatchers: which connections of one core want to know who comes and goes in a topic.
//
// Owned by the core's ConnectionSite. A connection that ends takes out its own, one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "troupe/realtime/protocol/topic_name.h"

namespace troupe::realtime {

class PresenceWatchers {
 public:
  using Connections = std::set<std::uint64_t>;

  enum class Added : std::uint8_t { first, further };
  enum class Removed : std::uint8_t { last, not_last };

  Added add(const TopicPattern& topic, std::uint64_t connection) {
    auto& connections = topics_[topic.text()];
    bool first = connections.empty();
    connections.insert(connection);
    return first ? Added::first : Added::further;
  }
  Removed remove(const TopicPattern& topic, std::uint64_t connection) {
    auto place = topics_.find(topic.text());
    if (place == topics_.end() || place->second.erase(connection) == 0 || !place->second.empty()) {
      return Removed::not_last;
    }
    topics_.erase(place);
    return Removed::last;
  }

  /// Nothing where nobody watches the topic.
  const Connections* of(const std::string& topic) const {
    auto place = topics_.find(topic);
    return place == topics_.end() ? nullptr : &place->second;
  }
  /// All topics that are watched and have this home.
  std::vector<TopicPattern> topics(std::size_t home, std::size_t homes) const {
    std::vector<TopicPattern> topics;
    for (const auto& [topic, connections] : topics_) {
      if (home_of(topic, homes) == home) topics.push_back(TopicPattern::parse(topic).value());
    }
    return topics;
  }

 private:
  std::map<std::string, Connections> topics_;  // none without a connection
};

}  // namespace troupe::realtime
