// What keepers of sessions and watching cores say to the homes of presence, and what these answer.
//
// All but the questions is of the control class: it is never dropped and keeps its order
// from core to core. The topics are names, never patterns.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/base/bytes.h"
#include "troupe/realtime/protocol/ids.h"
#include "troupe/realtime/topic/presence.h"
#include "troupe/realtime/topic/router_messages.h"

namespace troupe::realtime {

class PresenceActor;
using PresenceRef = actor::Ref<PresenceActor>;
using ReportNumber = std::uint64_t;  // of one keeper to one home, in rising order

/// On a keeper's core a user has the first session in these topics, or has no session in them any more.
struct ReportPresence {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex core;
  ReportNumber number;
  UserId user;
  std::vector<TopicPattern> came;
  std::vector<TopicPattern> left;
};
/// To a keeper: its reports up to this number need not be remembered any longer.
struct PresenceTold {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex home;
  ReportNumber number;
};

/// A core has its first connection that wants to be told of a topic, or no more.
struct WatchPresence {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex core;
  TopicPattern topic;
};
struct UnwatchPresence {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex core;
  TopicPattern topic;
};

/// A home has lost its tables: say again who is present and, as far as that may not have been told, who has left; and
/// what is watched.
struct RepeatPresence {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex home;
};
struct PresenceRepeated {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex core;
  ReportNumber number;
  std::vector<std::pair<TopicPattern, UserId>> present;
  std::vector<std::pair<TopicPattern, UserId>> left;
};
struct WatchesRepeated {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex core;
  std::vector<TopicPattern> topics;
};

/// Finished frames for the connections of one core that watch these topics.
struct DeliverPresence {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex home;
  std::vector<std::pair<std::string, base::Bytes>> frames;  // by topic, in order
};
/// A core has handled what it was given; it gets nothing more before.
struct PresenceDelivered {
  static constexpr auto message_class = actor::MessageClass::control;
};

enum class PresenceError : std::uint8_t {
  rebuilding,  // the tables are being built anew
};

struct ReadPresence {
  TopicName topic;
  std::size_t limit = 0;
  UserId after;
  using reply = PresencePage;
  using error = PresenceError;
};

/// A home has started, with empty tables. Told to its owner.
struct PresenceStarted {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex home;
};

using PresenceKeeper = actor::Ref<actor::Protocol<PresenceTold, RepeatPresence>>;
using PresenceWatcher = actor::Ref<actor::Protocol<DeliverPresence, RepeatPresence>>;

enum class PresenceTables : std::uint8_t {
  empty,  // the service has just started
  lost,   // they must be built anew
};

/// Whom it works with, by core. Told to a home after each of its starts.
struct JoinPresence {
  static constexpr auto message_class = actor::MessageClass::control;
  std::vector<PresenceKeeper> keepers;
  std::vector<PresenceWatcher> watchers;
  PresenceTables tables;
};

struct PresenceFigures {
  std::uint64_t topics = 0;
  std::uint64_t users = 0;    // in all topics together
  std::uint64_t changes = 0;  // users that were told to have joined or left
};
struct MeasurePresence {
  using reply = PresenceFigures;
};

}  // namespace troupe::realtime
