// Messages encoded: fields first, the payload last, the frame's head in front.
#include "troupe/realtime/protocol/message.h"

#include <string>

#include "troupe/realtime/protocol/answer.h"
#include "troupe/wire/json.h"
#include "troupe/wire/json_pieces.h"
#include "troupe/wire/websocket.h"

namespace troupe::realtime {

namespace {

using namespace wire::literals;

constexpr std::size_t fields_bytes = 256;  // about what the fields around a payload take

constexpr std::string_view before_json = R"(,"payload":)";
constexpr std::string_view before_binary = "}\n";

EncodedMessage finish(FrameBuilder& builder, std::size_t payload_bytes, PayloadKind kind) {
  const auto opcode = kind == PayloadKind::binary ? wire::Opcode::binary : wire::Opcode::text;
  return {std::move(builder).finish(opcode), static_cast<std::uint32_t>(payload_bytes), kind};
}

// Closes the object with the payload in it, or behind it after a line feed when it is binary.
EncodedMessage with_payload(FrameBuilder& builder, std::string_view payload, PayloadKind kind) {
  const bool binary = kind == PayloadKind::binary;
  auto& body = builder.body();
  body += binary ? before_binary : before_json;
  body += payload;
  if (!binary) body += '}';
  return finish(builder, payload.size(), kind);
}

// A message with more fields than all have, all of it in one go: none is built more often.
template <class... More>
EncodedMessage encode(const MessageParts& parts, const More&... more) {
  const auto& payload = parts.payload;
  FrameBuilder builder{payload.bytes.size() + fields_bytes};
  const wire::JsonRaw raw{payload.bytes};
  const auto write = [&](const auto&... end) {
    wire::append_json(builder.body(), R"({"type":"message","topic":)"_json, parts.topic, R"(,"epoch":)"_json,
                      parts.position.epoch.value().view(), R"(,"offset":)"_json, parts.position.offset,
                      R"(,"sender":)"_json, parts.sender.value().view(), R"(,"sent_at":)"_json,
                      static_cast<std::uint64_t>(parts.sent_at.milliseconds), more..., end...);
  };
  const bool binary = payload.kind == PayloadKind::binary;
  binary ? write("}\n"_json, raw) : write(R"(,"payload":)"_json, raw, "}"_json);
  return finish(builder, payload.bytes.size(), payload.kind);
}

}  // namespace

EncodedMessage encode_message(const MessageParts& parts) { return encode(parts); }

base::Bytes encode_message_by_pattern(const MessageParts& parts, const ShardPosition& shard) {
  return encode(parts, R"(,"shard":)"_json, shard.shard, R"(,"seq":)"_json, shard.seq).frame;
}

base::Bytes with_shard(const EncodedMessage& message, const ShardPosition& shard) {
  // What stands between the fields and the payload (with_payload() wrote it) gives way to two fields more.
  const bool binary = message.kind == PayloadKind::binary;
  const auto body = wire::view_frame(message.frame.view()).payload;
  const auto behind = (binary ? before_binary.size() : before_json.size() + 1) + message.payload_bytes;
  const auto fields = body.substr(0, body.size() - behind);
  FrameBuilder builder{body.size() + fields_bytes};
  builder.body() += fields;
  wire::append_json(builder.body(), R"(,"shard":)"_json, shard.shard, R"(,"seq":)"_json, shard.seq);
  return with_payload(builder, message.payload(), message.kind).frame;
}

EncodedMessage encode_direct(const DirectParts& parts) {
  FrameBuilder builder{parts.payload.bytes.size() + fields_bytes};
  wire::JsonWriter writer{builder.body()};
  writer.begin_object();
  writer.member("type", "direct")
      .member("from", parts.from.value())
      .member("message_id", parts.message.value())
      .member("offset", parts.offset)
      .member("sent_at", static_cast<std::uint64_t>(parts.sent_at.milliseconds));
  return with_payload(builder, parts.payload.bytes, parts.payload.kind);
}

base::Bytes encode_history_item(std::string_view topic, const Position& position, base::UnixTime sent_at,
                                const EncodedMessage& message, const std::optional<RequestId>& id) {
  FrameBuilder builder{message.payload_bytes + fields_bytes};
  wire::JsonWriter writer{builder.body()};
  writer.begin_object();
  writer.member("type", "history_item");
  if (id) writer.member("id", id->value());
  writer.member("topic", topic)
      .member("epoch", position.epoch.value())
      .member("offset", position.offset)
      .member("sent_at", static_cast<std::uint64_t>(sent_at.milliseconds));
  return with_payload(builder, message.payload(), message.kind).frame;
}

}  // namespace troupe::realtime
