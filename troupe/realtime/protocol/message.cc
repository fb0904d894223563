// Messages encoded: fields first, the payload last, the frame's head in front.
#include "troupe/realtime/protocol/message.h"

#include "troupe/realtime/protocol/finished_frame.h"
#include "troupe/wire/json_pieces.h"
#include "troupe/wire/websocket.h"

namespace troupe::realtime {

namespace {

using namespace wire::literals;
using wire::JsonRaw;

constexpr auto before_json = R"(,"payload":)"_json;
constexpr auto before_binary = "}\n"_json;

// The fields, then the payload: as the last of them, or behind the object and a line feed when it is binary.
template <class... Field>
EncodedMessage encode(const JsonRaw& payload, PayloadKind kind, const Field&... field) {
  const auto bytes = static_cast<std::uint32_t>(payload.text.size());
  if (kind == PayloadKind::binary) {
    return {finished_frame(wire::Opcode::binary, field..., before_binary, payload), bytes, kind};
  }
  return {finished_frame(wire::Opcode::text, field..., before_json, payload, "}"_json), bytes, kind};
}

std::uint64_t milliseconds(base::UnixTime time) { return static_cast<std::uint64_t>(time.milliseconds); }

// A message with more fields than all have.
template <class... More>
EncodedMessage encode(const MessageParts& parts, const More&... more) {
  return encode(JsonRaw{parts.payload.bytes}, parts.payload.kind, R"({"type":"message","topic":)"_json, parts.topic,
                R"(,"epoch":)"_json, parts.position.epoch.value().view(), R"(,"offset":)"_json, parts.position.offset,
                R"(,"sender":)"_json, parts.sender.value().view(), R"(,"sent_at":)"_json, milliseconds(parts.sent_at),
                more...);
}

}  // namespace

EncodedMessage encode_message(const MessageParts& parts) { return encode(parts); }

base::Bytes encode_message_by_pattern(const MessageParts& parts, const ShardPosition& shard) {
  return encode(parts, R"(,"shard":)"_json, shard.shard, R"(,"seq":)"_json, shard.seq).frame;
}

base::Bytes with_shard(const EncodedMessage& message, const ShardPosition& shard) {
  // What stands between the fields and the payload gives way to two fields more.
  const bool binary = message.kind == PayloadKind::binary;
  const auto body = wire::view_frame(message.frame.view()).payload;
  const auto behind = (binary ? sizeof before_binary.text : sizeof before_json.text + 1) + message.payload_bytes;
  const JsonRaw fields{body.substr(0, body.size() - behind)};
  return encode(JsonRaw{message.payload()}, message.kind, fields, R"(,"shard":)"_json, shard.shard, R"(,"seq":)"_json,
                shard.seq)
      .frame;
}

EncodedMessage encode_direct(const DirectParts& parts) {
  return encode(JsonRaw{parts.payload.bytes}, parts.payload.kind, R"({"type":"direct","from":)"_json,
                parts.from.value().view(), R"(,"message_id":)"_json, std::string_view{parts.message.value()},
                R"(,"epoch":)"_json, parts.position.epoch.value().view(), R"(,"offset":)"_json, parts.position.offset,
                R"(,"sent_at":)"_json, milliseconds(parts.sent_at));
}

base::Bytes encode_history_item(std::string_view topic, const Position& position, base::UnixTime sent_at,
                                const EncodedMessage& message, const std::optional<RequestId>& id) {
  const auto write = [&](const auto&... begin) {
    return encode(JsonRaw{message.payload()}, message.kind, begin..., R"(,"topic":)"_json, topic, R"(,"epoch":)"_json,
                  position.epoch.value().view(), R"(,"offset":)"_json, position.offset, R"(,"sent_at":)"_json,
                  milliseconds(sent_at))
        .frame;
  };
  constexpr auto type = R"({"type":"history_item")"_json;
  return id ? write(type, R"(,"id":)"_json, std::string_view{id->value()}) : write(type);
}

}  // namespace troupe::realtime
