// Messages encoded: fields first, the payload last, the frame's head in front.
#include "troupe/realtime/protocol/message.h"

#include <string>

#include "troupe/realtime/protocol/answer.h"
#include "troupe/wire/json.h"

namespace troupe::realtime {

namespace {

constexpr std::size_t fields_bytes = 256;  // about what the fields around a payload take

void append_fields(wire::JsonWriter& writer, const MessageParts& parts) {
  writer.member("type", "message")
      .member("topic", parts.topic)
      .member("epoch", parts.position.epoch.value())
      .member("offset", parts.position.offset)
      .member("sender", parts.sender.value())
      .member("sent_at", static_cast<std::uint64_t>(parts.sent_at.milliseconds));
}

// Closes the object with the payload in it, or behind it after a line feed when it is binary.
EncodedMessage with_payload(FrameBuilder& builder, wire::JsonWriter& writer, std::string_view payload,
                            PayloadKind kind) {
  bool binary = kind == PayloadKind::binary;
  if (binary) {
    writer.end_object();
    builder.body().append("\n").append(payload);
  } else {
    writer.key("payload").raw(payload).end_object();
  }
  auto behind = std::size_t{binary ? 0U : 1U};
  auto frame = std::move(builder).finish(binary ? wire::Opcode::binary : wire::Opcode::text);
  auto place = frame.slice(frame.size() - behind - payload.size(), payload.size());
  return {std::move(frame), std::move(place), kind};
}

}  // namespace

EncodedMessage encode_message(const MessageParts& parts) {
  FrameBuilder builder{parts.payload.bytes.size() + fields_bytes};
  wire::JsonWriter writer{builder.body()};
  writer.begin_object();
  append_fields(writer, parts);
  return with_payload(builder, writer, parts.payload.bytes, parts.payload.kind);
}

base::Bytes encode_message_by_pattern(const MessageParts& parts, const ShardPosition& shard) {
  FrameBuilder builder{parts.payload.bytes.size() + fields_bytes};
  wire::JsonWriter writer{builder.body()};
  writer.begin_object();
  append_fields(writer, parts);
  writer.member("shard", shard.shard).member("seq", shard.seq);
  return with_payload(builder, writer, parts.payload.bytes, parts.payload.kind).frame;
}

base::Bytes with_shard(const EncodedMessage& message, const ShardPosition& shard) {
  // What stands between the fields and the payload (with_payload() wrote it) gives way to two fields more.
  constexpr std::string_view before_json = R"(,"payload":)";
  constexpr std::string_view before_binary = "}\n";
  const bool binary = message.kind == PayloadKind::binary;
  const auto frame = message.frame.view();
  const auto length = static_cast<unsigned char>(frame[1]) & 0x7fU;
  const std::size_t head = length < 126 ? 2 : length == 126 ? 4 : 10;  // RFC 6455, 5.2; unmasked
  const auto place = frame.size() - (binary ? 0 : 1) - message.payload.size();
  const auto fields = frame.substr(head, place - head - (binary ? before_binary : before_json).size());
  FrameBuilder builder{frame.size() + fields_bytes};
  builder.body().append(fields).append(R"(,"shard":)");
  wire::JsonWriter{builder.body()}.value(shard.shard);
  builder.body().append(R"(,"seq":)").append(std::to_string(shard.seq));
  builder.body().append(binary ? before_binary : before_json).append(message.payload.view());
  if (!binary) builder.body().append("}");
  return std::move(builder).finish(binary ? wire::Opcode::binary : wire::Opcode::text);
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
  return with_payload(builder, writer, parts.payload.bytes, parts.payload.kind);
}

base::Bytes encode_history_item(std::string_view topic, const Position& position, base::UnixTime sent_at,
                                const EncodedMessage& message, const std::optional<RequestId>& id) {
  FrameBuilder builder{message.payload.size() + fields_bytes};
  wire::JsonWriter writer{builder.body()};
  writer.begin_object();
  writer.member("type", "history_item");
  if (id) writer.member("id", id->value());
  writer.member("topic", topic)
      .member("epoch", position.epoch.value())
      .member("offset", position.offset)
      .member("sent_at", static_cast<std::uint64_t>(sent_at.milliseconds));
  return with_payload(builder, writer, message.payload.view(), message.kind).frame;
}

}  // namespace troupe::realtime
