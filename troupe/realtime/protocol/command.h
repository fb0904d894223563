// What a client may ask for: one value for each command, already checked as far as words
// go. Permissions, limits and what exists are looked at by command/.
//
// Everything is owned, so a command may wait in a queue. A payload is the bytes of the
// client's JSON text (or of its binary frame) as they came; nobody parses it again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/base/strong.h"
#include "troupe/realtime/protocol/ids.h"
#include "troupe/realtime/protocol/overflow.h"
#include "troupe/realtime/protocol/priority.h"
#include "troupe/realtime/protocol/topic_name.h"

namespace troupe::realtime {

enum class PayloadKind : std::uint8_t { json, binary };

struct Payload {
  PayloadKind kind = PayloadKind::json;
  std::string bytes;
};

struct Subscribe {
  std::vector<TopicPattern> topics;                           // no topic twice
  std::vector<std::pair<TopicPattern, RecoverFrom>> recover;  // each key is one of `topics`
  std::optional<Overflow> overflow{};                         // none: the namespace's own
  bool presence = false;                                      // wants to be told who comes and goes
};

struct Unsubscribe {
  std::vector<TopicPattern> topics;
};

/// Where the client of a session that goes on was in each topic.
struct Resume {
  std::vector<std::pair<TopicPattern, RecoverFrom>> positions;
};

/// What an idempotency key belongs to, besides its user and topic.
enum class KeyedOperation : std::uint8_t { publish, broadcast, direct };

/// Made once, where its frame is read; from there to the home of its topic it is handed on by its pointer.
struct Publish : actor::CoreMemory {
  TopicName topic;
  Payload payload;
  bool exclude_self = false;
  std::string idempotency_key;  // empty: none; a second publication with the same key is answered, not published
  Priority priority = Priority::normal;
  KeyedOperation operation = KeyedOperation::publish;
};

/// The same payload to each of these topics. Of the HTTP API alone.
struct Broadcast {
  std::vector<TopicName> topics;  // no topic twice
  Payload payload;
};

struct Direct {
  UserId user;
  Payload payload;
  std::string idempotency_key{};  // as that of a publication
};

/// The inbox was read up to and including `offset`.
struct Received {
  Offset offset = 0;
  std::optional<Epoch> epoch;  // of that offset; without one, of the inbox as it is now
};

enum class Direction : std::uint8_t { newest, since, before };

struct ReadHistory {
  TopicName topic;
  std::size_t limit = 0;
  Direction direction = Direction::newest;
  Position position;  // excluded itself; unused for `newest`
};

struct GetPresence {
  TopicName topic;
  std::size_t limit = 0;
  UserId after{};  // the page begins behind this name
};

struct Cancel {
  RequestId target;
};

struct Authenticate {
  base::Secret<std::string> token;
};

struct GetInfo {};

struct Ping {
  std::string timestamp;  // JSON text of a number or string, echoed as it came; empty if none came
};

using PublishPtr = std::unique_ptr<Publish>;  // never null

using Command = std::variant<Subscribe, Unsubscribe, Resume, PublishPtr, Direct, Received, ReadHistory, GetPresence,
                             Cancel, Authenticate, GetInfo, Ping>;

/// One frame of a client. A frame with an id gets exactly one final answer that bears it.
struct ClientFrame {
  std::optional<RequestId> id;
  Command command;
};

}  // namespace troupe::realtime
