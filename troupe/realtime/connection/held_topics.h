// HeldTopics: live messages that wait while the position of their topic or pattern is being
// asked for, so that none comes before the confirmation, twice, or after a hole that nobody
// tells.
//
// Owned by one connection. Most of the time nothing is held, and then it is a null pointer.
// A message waits for its own name rather than for a pattern that it lies in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "troupe/realtime/protocol/overflow.h"
#include "troupe/realtime/protocol/topic_name.h"
#include "troupe/realtime/topic/flat_queue.h"
#include "troupe/realtime/topic/local_frame.h"

namespace troupe::realtime {

/// A message; or, without bytes, one that is for others, or a range that could not be brought to this core.
struct HeldMessage {
  FrameRef frame;
  Overflow overflow = Overflow::drop_oldest;
  Offset missed_to = 0;  // where the range ends that begins at the frame's position; 0: no range
};

class HeldTopics {
 public:
  /// What was dropped of a topic past the bound.
  struct Lost {
    Epoch epoch;
    Offset from = 0;
    Offset to = 0;
    Overflow overflow = Overflow::drop_oldest;
  };
  struct Released {
    std::map<std::string, Lost> lost;  // of patterns alone: of a name the offsets tell
    bool overrun = false;              // more than can be said
    FlatQueue<HeldMessage> messages;
  };

  /// Begins to hold; what is held more than once is let go when all have released it. Past `messages_max` messages the
  /// oldest goes; the first hold() says how many that are.
  void hold(const std::string& name, std::size_t messages_max) { ++tables(messages_max).names[name].holders; }
  void hold(const TopicPattern& topic, std::size_t messages_max) {
    if (topic.is_name()) return hold(topic.text(), messages_max);
    auto& held = tables(messages_max).patterns[topic];
    held.is_pattern = true;
    ++held.holders;
  }

  bool empty() const noexcept { return tables_ == nullptr; }

  /// Takes a message if its topic is held.
  bool take(const FrameRef& frame, Overflow overflow, Offset missed_to = 0) {
    auto* held = holder_of(frame->topic);
    if (held == nullptr) return false;
    held->messages.push_back({frame, overflow, missed_to});
    if (held->messages.size() > tables_->messages_max) lose(held->messages.pop_front(), *held);
    return true;
  }

  /// What was held, once nobody holds it any more; nothing as long as somebody does.
  std::optional<Released> release(const std::string& name) {
    return tables_ ? release(tables_->names, name) : std::nullopt;
  }
  std::optional<Released> release(const TopicPattern& topic) {
    if (topic.is_name()) return release(topic.text());
    return tables_ ? release(tables_->patterns, topic) : std::nullopt;
  }

 private:
  struct Held : Released {
    std::size_t holders = 0;
    bool is_pattern = false;
  };

  struct Tables {
    std::size_t messages_max;
    std::map<std::string, Held> names;
    std::map<TopicPattern, Held> patterns;
  };

  Tables& tables(std::size_t messages_max) {
    if (tables_ == nullptr) tables_ = std::make_unique<Tables>(messages_max);
    return *tables_;
  }

  Held* holder_of(const std::string& topic) {
    if (tables_ == nullptr) return nullptr;
    auto found = tables_->names.find(topic);
    if (found != tables_->names.end()) return &found->second;
    if (tables_->patterns.empty()) return nullptr;
    auto name = TopicName::parse(topic);
    if (!name) return nullptr;  // an inbox of an odd user
    for (auto& [pattern, held] : tables_->patterns) {
      if (pattern.matches(*name)) return &held;
    }
    return nullptr;
  }

  void lose(const HeldMessage& message, Held& held) {
    if (!held.is_pattern) return;
    const auto& position = message.frame->position;
    auto to = std::max(position.offset, message.missed_to);
    auto known = held.lost.find(message.frame->topic);
    if (known != held.lost.end() && known->second.epoch == position.epoch) {
      known->second.to = to;
    } else if (held.lost.size() < tables_->messages_max) {
      held.lost.insert_or_assign(message.frame->topic, Lost{position.epoch, position.offset, to, message.overflow});
    } else {
      held.overrun = true;
    }
  }

  template <class Map, class Key>
  std::optional<Released> release(Map& map, const Key& key) {
    auto found = map.find(key);
    if (found == map.end() || --found->second.holders > 0) return std::nullopt;
    Released released = std::move(found->second);
    map.erase(found);
    if (tables_->names.empty() && tables_->patterns.empty()) tables_.reset();
    return released;
  }

  std::unique_ptr<Tables> tables_;  // null while nothing is held
};

}  // namespace troupe::realtime
