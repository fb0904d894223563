// Message: one publication or direct message as the world sees it, encoded once into a
// finished WebSocket frame that all receivers share.
//
// The payload lies in the frame, so history keeps it without a second copy. Text payloads
// travel in text frames, binary ones in binary frames behind a JSON header and a line feed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "troupe/base/bytes.h"
#include "troupe/base/clock.h"
#include "troupe/realtime/protocol/command.h"
#include "troupe/realtime/protocol/ids.h"

namespace troupe::realtime {

/// What a message is made of; refers to the caller's values.
struct MessageParts {
  std::string_view topic;
  const Position& position;
  const UserId& sender;
  base::UnixTime sent_at;
  const Payload& payload;
};

struct DirectParts {
  const UserId& from;
  const MessageId& message;
  const Position& position;  // in the inbox
  base::UnixTime sent_at;
  const Payload& payload;
};

/// The place of a message in the numbered stream of its home shard; told to those who came by a pattern.
struct ShardPosition {
  std::string_view shard;
  std::uint64_t seq;
};

/// A finished frame, and how much of it is the payload.
struct EncodedMessage {
  base::Bytes frame;
  std::uint32_t payload_bytes = 0;
  PayloadKind kind = PayloadKind::json;

  /// It ends the frame, but for the bracket that closes the object in which it stands as JSON.
  std::string_view payload() const noexcept {
    const std::size_t behind = kind == PayloadKind::binary ? 0 : 1;
    return frame.view().substr(frame.size() - behind - payload_bytes, payload_bytes);
  }
};

EncodedMessage encode_message(const MessageParts& parts);
/// The same with `shard` and `seq`.
base::Bytes encode_message_by_pattern(const MessageParts& parts, const ShardPosition& shard);
/// The same of a message that was encoded without them.
base::Bytes with_shard(const EncodedMessage& message, const ShardPosition& shard);
EncodedMessage encode_direct(const DirectParts& parts);
/// A finished history_item of a message that was kept.
base::Bytes encode_history_item(std::string_view topic, const Position& position, base::UnixTime sent_at,
                                const EncodedMessage& message, const std::optional<RequestId>& id);

}  // namespace troupe::realtime
