// What the server says: one value for each frame, and how it becomes text.
//
// `append` writes the JSON object; `finished` makes a whole WebSocket frame of it, ready
// for the socket. Times are whole milliseconds since 1970. Frames that answer a command
// bear its id; those that come unasked have none.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/base/bytes.h"
#include "troupe/base/clock.h"
#include "troupe/base/shared_text.h"
#include "troupe/realtime/protocol/command.h"
#include "troupe/realtime/protocol/error.h"
#include "troupe/realtime/protocol/ids.h"
#include "troupe/realtime/protocol/topic_name.h"
#include "troupe/wire/websocket.h"

namespace troupe::realtime {

inline constexpr std::uint64_t protocol_version = 1;

/// The limits that a client is told, so that it can stay within them.
struct WelcomeLimits {
  std::uint64_t frame_bytes = 0;
  std::uint64_t messages_per_second = 0;
  std::uint64_t subscriptions = 0;
};

struct Welcome {
  ConnectionId connection;
  UserId user;
  SessionId session;
  base::UnixTime server_time;
  std::chrono::milliseconds heartbeat_interval{};
  WelcomeLimits limits;
  bool resumed = false;
};

/// One topic's entry of a confirmation. A pattern bears the positions of its shards instead of its own.
struct SubscribedTopic {
  struct Shard {
    std::string name;
    Position position;
  };
  std::string topic;
  Position position;
  bool recovered = false;
  std::vector<Shard> shards;
};

struct SubscriptionConfirmed {
  std::vector<SubscribedTopic> topics;
  std::uint64_t active_subscriptions = 0;
};

/// The answer to `resume`.
struct Resumed {
  std::vector<SubscribedTopic> topics;
};

/// Subscriptions that have lost something: each goes on after the position here, and what lay between the client's and
/// this is gone.
struct Restarted {
  std::vector<SubscribedTopic> topics;
};

struct UnsubscriptionConfirmed {
  std::vector<TopicPattern> topics;
  std::uint64_t active_subscriptions = 0;
};

/// The answer to `publish`. `queued` counts those of `delivered_to` that are not yet written.
struct PublishAck {
  std::uint64_t delivered_to = 0;
  std::uint64_t queued = 0;
  Position position;
  base::SharedText redirected_to{};  // the topic of `position`, where a routing rule sent it elsewhere
};

struct DirectAck {
  MessageId message;
  std::vector<ConnectionId> connections;
  std::uint64_t queued = 0;
};

/// The answer to a command that has nothing more to say.
struct Ack {};

enum class HistoryEnding : std::uint8_t {
  complete,    // all that was asked for and is there, without a hole
  incomplete,  // something between the position and the first item is no longer kept
  cancelled,
};

struct HistoryEnd {
  HistoryEnding ending;
};

/// Users who have come into a topic, or left it.
struct PresenceChanged {
  std::string_view topic;
  std::span<const UserId> joined;
  std::span<const UserId> left;
};

/// One page of who is in a topic.
struct PresenceState {
  std::string_view topic;
  std::uint64_t count = 0;
  std::vector<UserId> users;
  std::optional<UserId> next;
};

struct Pong {
  std::string timestamp;  // JSON text; empty: none came
};

struct Info {
  ConnectionId connection;
  UserId user;
  std::uint64_t subscriptions = 0;
  std::uint64_t queue = 0;
  std::optional<std::chrono::milliseconds> rtt;
};

struct Authenticated {
  UserId user;
  std::optional<base::UnixTime> expires_at;
};

enum class GapReason : std::uint8_t {
  overflow,  // the reader was too slow
  latest,    // a newer message of the topic took its place
  expired,   // it was no longer kept
  filtered,  // a routing rule shows it to others: no loss
};

/// This connection will not get the messages from..to, both included.
struct Gap {
  std::string_view topic;
  std::string_view epoch;
  Offset from = 0;
  Offset to = 0;
  GapReason reason = GapReason::overflow;
};

struct TokenExpiring {
  base::UnixTime expires_at;
};

struct Unsubscribed {
  std::vector<TopicPattern> topics;
  std::string_view reason;
};

struct Draining {
  std::chrono::milliseconds reconnect_after{};
};

void append(std::string& out, const Welcome& frame);
void append(std::string& out, const TokenExpiring& frame);
void append(std::string& out, const Unsubscribed& frame);
void append(std::string& out, const Restarted& frame);
void append(std::string& out, const Draining& frame);
void append(std::string& out, const PresenceChanged& frame);
void append(std::string& out, const PresenceState& frame, const std::optional<RequestId>& id);
void append(std::string& out, const Gap& frame);
void append(std::string& out, const Authenticated& frame, const std::optional<RequestId>& id);
void append(std::string& out, const SubscriptionConfirmed& frame, const std::optional<RequestId>& id);
void append(std::string& out, const Resumed& frame, const std::optional<RequestId>& id);
void append(std::string& out, const UnsubscriptionConfirmed& frame, const std::optional<RequestId>& id);
void append(std::string& out, const PublishAck& frame, const std::optional<RequestId>& id);
void append(std::string& out, const DirectAck& frame, const std::optional<RequestId>& id);
void append(std::string& out, const Ack& frame, const std::optional<RequestId>& id);
void append(std::string& out, const HistoryEnd& frame, const std::optional<RequestId>& id);
void append(std::string& out, const Pong& frame, const std::optional<RequestId>& id);
void append(std::string& out, const Info& frame, const std::optional<RequestId>& id);
void append(std::string& out, const ClientError& error, const std::optional<RequestId>& id);

/// Builds a frame: the head of a WebSocket frame is put in front of the body afterwards, and the finished frame takes
/// just the memory that it needs, however long it is kept.
class FrameBuilder {
 public:
  explicit FrameBuilder(std::size_t bytes_expected = 256) {
    text_.reserve(head_room + bytes_expected);
    text_.resize(head_room);
  }

  /// Where the body is appended.
  std::string& body() noexcept { return text_; }
  /// How long the body is so far.
  std::size_t size() const noexcept { return text_.size() - head_room; }

  /// The finished frame. The builder is spent.
  base::Bytes finish(wire::Opcode opcode) &&;

 private:
  static constexpr std::size_t head_room = 10;
  std::string text_;
};

/// A finished text frame of a value above, with the id of the command that it answers.
template <class Frame, class... Id>
base::Bytes finished(const Frame& frame, const Id&... id) {
  FrameBuilder builder;
  append(builder.body(), frame, id...);
  return std::move(builder).finish(wire::Opcode::text);
}
base::Bytes finished(const PublishAck& frame, const std::optional<RequestId>& id);

}  // namespace troupe::realtime
