// See recorded_event.h.
#include "troupe/realtime/topic/recorded_event.h"

#include "troupe/actor/codec.h"
#include "troupe/wire/websocket.h"

namespace troupe::realtime {

namespace {

constexpr std::string_view topic_prefix = "topic/";
constexpr std::string_view event_name = "Published";
constexpr std::int32_t event_version = 1;

struct Key {
  std::string user;
  std::uint8_t operation = 0;
  std::string key;
};

/// `frame` is the finished frame, in which the payload lies at the end.
struct Published {
  std::int64_t sent_at = 0;
  bool is_binary = false;
  std::uint32_t payload_bytes = 0;
  std::optional<std::string> target;
  std::optional<Key> key;
  std::string frame;
};

/// Whether it is one whole frame as a server sends it, with a message in it. Whoever reads it later relies on that.
bool is_frame(std::string_view bytes) {
  constexpr std::size_t head_bytes_max = 10;
  constexpr unsigned char mask = 0x80;
  std::string_view head = bytes.substr(0, head_bytes_max);
  if (head.size() < head_bytes_max || (static_cast<unsigned char>(head[1]) & mask) != 0) return false;
  if (wire::finished_frame_bytes(bytes) != bytes.size()) return false;
  return wire::view_frame(bytes).payload.starts_with(R"({"type":"message",)");
}

Published published_of(const actor::StoredEvent& stored) {
  if (stored.event.name != event_name || stored.event.version != event_version) {
    throw actor::MalformedRecord("no publication of this version");
  }
  return actor::decode<Published>(stored.event.bytes);
}

}  // namespace

actor::PersistenceId entity_of(const TopicName& topic) {
  return actor::PersistenceId{std::string{topic_prefix} + topic.text()};
}

std::optional<TopicName> topic_of(const actor::PersistenceId& entity) {
  if (!entity.value().starts_with(topic_prefix)) return std::nullopt;
  auto topic = TopicName::parse(entity.value().substr(topic_prefix.size()));
  return topic ? std::optional{*std::move(topic)} : std::nullopt;
}

actor::Record record_of(const StoredMessage& message) {
  const auto& encoded = message.message;
  Published event{message.sent_at.milliseconds,     encoded.kind == PayloadKind::binary, encoded.payload_bytes, {}, {},
                  std::string{encoded.frame.view()}};
  if (message.target) event.target = *message.target;
  if (message.key) {
    event.key = Key{std::string{message.key->user.value()}, static_cast<std::uint8_t>(message.key->operation),
                    message.key->key};
  }
  return {std::string{event_name}, event_version, actor::encode(event)};
}

StoredMessage message_of(const actor::StoredEvent& stored) {
  auto event = published_of(stored);
  base::Bytes frame{std::move(event.frame)};
  if (!is_frame(frame.view())) throw actor::MalformedRecord("no whole frame of a message");
  const std::size_t behind = event.is_binary ? 0 : 1;  // the end of the JSON object
  if (frame.size() < event.payload_bytes + behind) throw actor::MalformedRecord("a payload longer than its frame");
  StoredMessage message{
      static_cast<Offset>(stored.sequence),
      base::UnixTime{event.sent_at},
      {std::move(frame), event.payload_bytes, event.is_binary ? PayloadKind::binary : PayloadKind::json}};
  if (event.target) message.target = std::make_shared<const std::string>(*std::move(event.target));
  if (event.key) {
    message.key = RecordedKey{UserId{std::move(event.key->user)}, static_cast<KeyedOperation>(event.key->operation),
                              std::move(event.key->key)};
  }
  return message;
}

bool is_older(const actor::StoredEvent& stored, base::UnixTime moment) {
  try {
    return published_of(stored).sent_at < moment.milliseconds;
  } catch (const actor::MalformedRecord&) {
    return false;
  }
}

}  // namespace troupe::realtime
