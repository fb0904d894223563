// HeldTopics: live messages that wait while the position of their topic or pattern is being
// asked for, so that none comes before the confirmation, twice, or after a hole that nobody
// tells.
//
// Owned by one connection. Most of the time nothing is held, and then it is a null pointer.
// A message waits for its own name rather than for a pattern that it lies in. All wait in one
// line, in the order in which they came, and two things keep it: a message never passes an
// earlier one of its topic; and one that bears a `seq` never passes an earlier one that a live
// pattern owes: a client that had it could not recover the other.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "troupe/realtime/command/client.h"
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

/// How much may wait, in all topics together.
struct HeldLimits {
  std::size_t messages_max = 0;
  std::size_t bytes_max = 0;
};

class HeldTopics {
 public:
  /// What may go out, in its order, without what the client has: messages, and ranges that it has missed.
  struct Released {
    bool overrun = false;  // more was lost than can be said
    FlatQueue<HeldMessage> messages;
  };
  enum class Holes : bool { ordinary, told };  // whether the offsets of a topic have no holes but lost messages

  HeldTopics();
  HeldTopics(const HeldTopics&) = delete;
  HeldTopics& operator=(const HeldTopics&) = delete;
  ~HeldTopics();

  /// Begins to hold; what is held more than once is let go when all have released it. Past the limits of the first
  /// hold() the oldest message goes, and becomes a missed range.
  void hold(const std::string& name, HeldLimits limits);
  /// The same for all that a command asks for, one command at a time. `live`: patterns that are not held; none are
  /// needed where there are only names among the topics.
  void hold(const std::vector<TopicPattern>& topics, std::vector<TopicPattern> live, HeldLimits limits);

  bool empty() const noexcept { return tables_ == nullptr; }
  /// Whether more was lost than can be said.
  bool is_overrun() const noexcept;

  /// The place of the oldest message of this topic that waits, or of what was lost before it.
  std::optional<Position> first_of(const std::string& topic) const;

  /// Takes a message if it has to wait.
  bool take(const FrameRef& frame, Overflow overflow, Offset missed_to = 0);

  /// What may go once nobody holds this any more; `last` is what the client has of each topic by now. Nothing as long
  /// as somebody holds it.
  Released release(const std::string& name, const TopicPositions& last, Holes holes);
  /// The same for all of the command.
  Released release(const std::vector<TopicPattern>& topics, const TopicPositions& last);
  /// The same, without what waited for these alone: it will be recovered.
  Released discard(const std::vector<TopicPattern>& topics);

 private:
  struct Tables;

  Tables& tables(HeldLimits limits);
  Released let_go();

  std::unique_ptr<Tables> tables_;  // null while nothing is held
};

}  // namespace troupe::realtime
