// What the router of a core and its TopicJournal say to each other.
//
// All of it is of the control class, which the runtime never drops; so the router bounds by itself how
// many publications and loads are under way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/realtime/protocol/message.h"
#include "troupe/realtime/topic/router_messages.h"
#include "troupe/realtime/topic/settings.h"

namespace troupe::realtime {

/// The idempotency key that a publication bore, and whose it is.
struct RecordedKey {
  UserId user;
  KeyedOperation operation = KeyedOperation::publish;
  std::string key;
};

/// A message as it stands in the journal.
struct StoredMessage {
  Offset offset = 0;
  base::UnixTime sent_at;
  EncodedMessage message;
  TargetScope target{};
  std::optional<RecordedKey> key{};
};

// ---- to the router ----

/// A topic was read. Without a position: it could not be.
struct TopicLoaded {
  static constexpr auto message_class = actor::MessageClass::control;
  TopicName topic;
  std::optional<Position> top;
  std::vector<StoredMessage> messages;  // up to the top, without a hole
};

/// A publication is on the disk. Those of a topic come in the order of their offsets.
struct Recorded {
  static constexpr auto message_class = actor::MessageClass::control;
  Ticket ticket;
  TopicName topic;
  Epoch epoch;
  StoredMessage message;
};

enum class Recording : std::uint8_t {
  failed,     // it is certainly not in the journal
  too_large,  // nor can it ever be
  unknown,    // it may be there
};

/// A publication was not recorded, as far as is known.
struct NotRecorded {
  static constexpr auto message_class = actor::MessageClass::control;
  Ticket ticket;
  TopicName topic;
  Recording why;
};

/// The journal begins, and knows nothing of what it was told before.
struct JournalBegan {
  static constexpr auto message_class = actor::MessageClass::control;
};

using TopicJournalUser = actor::Ref<actor::Protocol<TopicLoaded, Recorded, NotRecorded, JournalBegan>>;

// ---- from the router ----

/// Takes the topic over and reads the newest of its messages: as many as `limits` allow, but all after `known`.
struct LoadTopic {
  static constexpr auto message_class = actor::MessageClass::control;
  TopicName topic;
  HistoryLimits limits;
  std::optional<Position> known{};  // what the router has of it
};

/// The router has forgotten the topic, and loads it again before it publishes to it.
struct CloseTopic {
  static constexpr auto message_class = actor::MessageClass::control;
  TopicName topic;
};

/// Records a publication to a topic that was loaded.
struct RecordPublication {
  static constexpr auto message_class = actor::MessageClass::control;
  Ticket ticket;
  TopicName topic;
  UserId sender;
  Payload payload;
  TargetScope target{};
  std::optional<RecordedKey> key{};
};

/// Nobody needs the messages up to `up_to` any more.
struct TrimTopic {
  static constexpr auto message_class = actor::MessageClass::control;
  TopicName topic;
  Offset up_to;
};

}  // namespace troupe::realtime
