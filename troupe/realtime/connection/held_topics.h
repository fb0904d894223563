// HeldTopics: live messages that wait while their topic's position is being asked for, so
// that none comes before the confirmation, twice, or after a hole that nobody tells.
//
// Owned by one connection. Most of the time nothing is held.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "troupe/realtime/protocol/overflow.h"
#include "troupe/realtime/topic/flat_queue.h"
#include "troupe/realtime/topic/local_frame.h"

namespace troupe::realtime {

struct HeldMessage {
  FrameRef frame;
  Overflow overflow;
};

class HeldTopics {
 public:
  explicit HeldTopics(std::size_t messages_max) : messages_max_(messages_max) {}

  /// Begins to hold; a topic may be held more than once, and is let go when all have released it.
  void hold(const std::string& topic) { ++topics_[topic].holders; }

  bool empty() const noexcept { return topics_.empty(); }

  /// Takes a message if its topic is held. Past the bound the oldest goes: the offsets tell.
  bool take(const FrameRef& frame, Overflow overflow) {
    auto found = topics_.find(frame->topic);
    if (found == topics_.end()) return false;
    found->second.messages.push_back({frame, overflow});
    if (found->second.messages.size() > messages_max_) found->second.messages.pop_front();
    return true;
  }

  /// What was held, once nobody holds the topic any more; nothing as long as somebody does.
  std::optional<FlatQueue<HeldMessage>> release(const std::string& topic) {
    auto found = topics_.find(topic);
    if (found == topics_.end() || --found->second.holders > 0) return std::nullopt;
    auto messages = std::move(found->second.messages);
    topics_.erase(found);
    return messages;
  }

 private:
  struct Held {
    std::size_t holders = 0;
    FlatQueue<HeldMessage> messages;
  };
  std::size_t messages_max_;
  std::map<std::string, Held> topics_;
};

}  // namespace troupe::realtime
