// PressedTopics: the topics of one home for which some core has a subscriber that does not keep up, so that nothing
// is published to them for now.
//
// What a core says holds for a while and must be said again; a core that is no more, or has
// forgotten, holds nobody up for long. Owned by the router that is the topics' home.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/base/clock.h"

namespace troupe::realtime {

class PressedTopics {
 public:
  using CoreIndex = std::uint32_t;

  /// Has to be said again before `until`.
  void press(CoreIndex core, const std::vector<std::string>& topics, base::Instant until) {
    for (const auto& topic : topics) cores_[topic].insert_or_assign(core, until);
  }

  void relieve(CoreIndex core, const std::vector<std::string>& topics) {
    for (const auto& topic : topics) {
      auto found = cores_.find(topic);
      if (found == cores_.end()) continue;
      found->second.erase(core);
      if (found->second.empty()) cores_.erase(found);
    }
  }

  bool contains(std::string_view topic, base::Instant now) const {
    if (cores_.empty()) [[likely]]
      return false;
    auto found = cores_.find(topic);
    if (found == cores_.end()) return false;
    for (const auto& [core, until] : found->second) {
      if (now < until) return true;
    }
    return false;
  }

  /// Forgets what was not said again.
  void expire(base::Instant now) {
    for (auto& [topic, cores] : cores_) std::erase_if(cores, [&](const auto& entry) { return entry.second <= now; });
    std::erase_if(cores_, [](const auto& entry) { return entry.second.empty(); });
  }

  std::size_t size() const noexcept { return cores_.size(); }

 private:
  std::map<std::string, std::map<CoreIndex, base::Instant>, std::less<>> cores_;
};

}  // namespace troupe::realtime
