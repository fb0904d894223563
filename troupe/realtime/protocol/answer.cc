// The server's frames as text: fields in a fixed order, one function for each frame.
#include "troupe/realtime/protocol/answer.h"

#include "troupe/realtime/protocol/finished_frame.h"
#include "troupe/wire/json.h"
#include "troupe/wire/json_pieces.h"

namespace troupe::realtime {

namespace {

using namespace wire::literals;
using wire::JsonWriter;

JsonWriter begin(std::string& out, std::string_view type) {
  JsonWriter writer{out};
  writer.begin_object().member("type", type);
  return writer;
}

JsonWriter begin(std::string& out, std::string_view type, const std::optional<RequestId>& id) {
  auto writer = begin(out, type);
  if (id) writer.member("id", id->value());
  return writer;
}

std::uint64_t milliseconds(base::UnixTime time) { return static_cast<std::uint64_t>(time.milliseconds); }
std::uint64_t milliseconds(std::chrono::milliseconds duration) { return static_cast<std::uint64_t>(duration.count()); }

std::string_view text(GapReason reason) {
  switch (reason) {
    case GapReason::overflow:
      return "overflow";
    case GapReason::latest:
      return "latest";
    case GapReason::expired:
      return "expired";
    case GapReason::filtered:
      return "filtered";
  }
  return "overflow";
}

void append_users(JsonWriter& writer, std::string_view name, std::span<const UserId> users) {
  writer.key(name).begin_array();
  for (const auto& user : users) writer.value(user.value());
  writer.end_array();
}

void append_topics(JsonWriter& writer, const std::vector<TopicPattern>& topics) {
  writer.key("topics").begin_array();
  for (const auto& topic : topics) writer.value(topic.text());
  writer.end_array();
}

void append_topic(JsonWriter& writer, const SubscribedTopic& topic) {
  writer.begin_object().member("topic", topic.topic);
  if (topic.shards.empty()) {
    writer.member("epoch", topic.position.epoch.value()).member("offset", topic.position.offset);
  } else {
    writer.key("shards").begin_object();
    for (const auto& shard : topic.shards) {
      writer.key(shard.name).begin_object();
      writer.member("epoch", shard.position.epoch.value()).member("seq", shard.position.offset).end_object();
    }
    writer.end_object();
  }
  writer.member("recovered", topic.recovered).end_object();
}

}  // namespace

void append(std::string& out, const Welcome& frame) {
  auto writer = begin(out, "welcome");
  writer.member("connection_id", frame.connection.value())
      .member("user", frame.user.value())
      .member("session", frame.session.value())
      .member("resumed", frame.resumed)
      .member("protocol_version", protocol_version)
      .member("server_time", milliseconds(frame.server_time))
      .member("heartbeat_interval_ms", milliseconds(frame.heartbeat_interval))
      .key("limits");
  writer.begin_object()
      .member("frame_bytes", frame.limits.frame_bytes)
      .member("messages_per_second", frame.limits.messages_per_second)
      .member("subscriptions", frame.limits.subscriptions)
      .end_object();
  writer.end_object();
}

void append(std::string& out, const TokenExpiring& frame) {
  begin(out, "token_expiring").member("expires_at", milliseconds(frame.expires_at)).end_object();
}

void append(std::string& out, const Unsubscribed& frame) {
  auto writer = begin(out, "unsubscribed");
  append_topics(writer, frame.topics);
  writer.member("reason", frame.reason).end_object();
}

void append(std::string& out, const PresenceChanged& frame) {
  auto writer = begin(out, "presence_changed");
  writer.member("topic", frame.topic);
  append_users(writer, "joined", frame.joined);
  append_users(writer, "left", frame.left);
  writer.end_object();
}

void append(std::string& out, const PresenceState& frame, const std::optional<RequestId>& id) {
  auto writer = begin(out, "presence_state", id);
  writer.member("topic", frame.topic).member("count", frame.count);
  append_users(writer, "users", frame.users);
  if (frame.next) writer.member("next", frame.next->value());
  writer.end_object();
}

void append(std::string& out, const Draining& frame) {
  begin(out, "draining").member("reconnect_after_ms", milliseconds(frame.reconnect_after)).end_object();
}

void append(std::string& out, const Gap& frame) {
  begin(out, "gap")
      .member("topic", frame.topic)
      .member("epoch", frame.epoch)
      .member("from", frame.from)
      .member("to", frame.to)
      .member("reason", text(frame.reason))
      .end_object();
}

void append(std::string& out, const Authenticated& frame, const std::optional<RequestId>& id) {
  auto writer = begin(out, "authenticated", id);
  writer.member("user", frame.user.value());
  if (frame.expires_at) writer.member("expires_at", milliseconds(*frame.expires_at));
  writer.end_object();
}

void append(std::string& out, const SubscriptionConfirmed& frame, const std::optional<RequestId>& id) {
  auto writer = begin(out, "subscription_confirmed", id);
  writer.key("topics").begin_array();
  for (const auto& topic : frame.topics) append_topic(writer, topic);
  writer.end_array();
  writer.member("active_subscriptions", frame.active_subscriptions).end_object();
}

void append(std::string& out, const Resumed& frame, const std::optional<RequestId>& id) {
  auto writer = begin(out, "resumed", id);
  writer.key("topics").begin_array();
  for (const auto& topic : frame.topics) append_topic(writer, topic);
  writer.end_array();
  writer.end_object();
}

void append(std::string& out, const Restarted& frame) {
  auto writer = begin(out, "restarted");
  writer.key("topics").begin_array();
  for (const auto& topic : frame.topics) append_topic(writer, topic);
  writer.end_array();
  writer.end_object();
}

void append(std::string& out, const UnsubscriptionConfirmed& frame, const std::optional<RequestId>& id) {
  auto writer = begin(out, "unsubscription_confirmed", id);
  append_topics(writer, frame.topics);
  writer.member("active_subscriptions", frame.active_subscriptions).end_object();
}

namespace {

// As often written as messages are: all of it in pieces, which `write` is called with.
template <class Write>
auto with_pieces(const PublishAck& frame, const std::optional<RequestId>& id, const Write& write) {
  const auto middle = [&](const auto&... begin) {
    const auto whole = [&](const auto&... end) {
      return write(begin..., R"(,"delivered_to":)"_json, frame.delivered_to, R"(,"queued":)"_json, frame.queued,
                   R"(,"epoch":)"_json, frame.position.epoch.value().view(), R"(,"offset":)"_json,
                   frame.position.offset, end...);
    };
    return frame.redirected_to.empty() ? whole("}"_json)
                                       : whole(R"(,"topic":)"_json, frame.redirected_to.view(), "}"_json);
  };
  return id ? middle(R"({"type":"ack","id":)"_json, std::string_view{id->value()}) : middle(R"({"type":"ack")"_json);
}

}  // namespace

void append(std::string& out, const PublishAck& frame, const std::optional<RequestId>& id) {
  with_pieces(frame, id, [&](const auto&... piece) { wire::append_json(out, piece...); });
}

base::Bytes finished(const PublishAck& frame, const std::optional<RequestId>& id) {
  return with_pieces(frame, id, [](const auto&... piece) { return finished_frame(wire::Opcode::text, piece...); });
}

void append(std::string& out, const DirectAck& frame, const std::optional<RequestId>& id) {
  auto writer = begin(out, "ack", id);
  writer.member("message_id", frame.message.value()).key("connections").begin_array();
  for (const auto& one : frame.connections) writer.value(one.value());
  writer.end_array();
  writer.member("queued", frame.queued).end_object();
}

void append(std::string& out, const Ack&, const std::optional<RequestId>& id) { begin(out, "ack", id).end_object(); }

void append(std::string& out, const HistoryEnd& frame, const std::optional<RequestId>& id) {
  auto writer = begin(out, "history_end", id);
  writer.member("complete", frame.ending == HistoryEnding::complete);
  if (frame.ending == HistoryEnding::cancelled) writer.member("cancelled", true);
  writer.end_object();
}

void append(std::string& out, const Pong& frame, const std::optional<RequestId>& id) {
  auto writer = begin(out, "pong", id);
  if (!frame.timestamp.empty()) writer.key("timestamp").raw(frame.timestamp);
  writer.end_object();
}

void append(std::string& out, const Info& frame, const std::optional<RequestId>& id) {
  auto writer = begin(out, "info", id);
  writer.member("connection_id", frame.connection.value())
      .member("user", frame.user.value())
      .member("subscriptions", frame.subscriptions)
      .member("queue", frame.queue);
  if (frame.rtt) writer.member("rtt_ms", milliseconds(*frame.rtt));
  writer.end_object();
}

void append(std::string& out, const ClientError& error, const std::optional<RequestId>& id) {
  auto writer = begin(out, "error", id);
  writer.member("code", text(error.code)).member("message", error.message);
  if (error.retry_after) writer.member("retry_after_ms", milliseconds(*error.retry_after));
  writer.end_object();
}

base::Bytes FrameBuilder::finish(wire::Opcode opcode) && {
  wire::FrameHeader head{opcode, size()};
  const auto begin = head_room - head.view().size();
  head.view().copy(text_.data() + begin, head.view().size());
  return base::Bytes{std::string_view{text_}.substr(begin)};
}

}  // namespace troupe::realtime
