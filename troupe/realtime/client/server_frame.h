// ServerFrame: what the server said, read by a client of ours. The reading twin of protocol/answer.h.
//
// A reader is one connection's or one core's; a frame's texts refer to its memory and are gone with the next frame. It
// trusts nobody: what is no frame is refused with a sentence, fields that it does not know are passed over.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "troupe/realtime/protocol/ids.h"
#include "troupe/wire/websocket.h"

namespace troupe::realtime {

/// Whether what was refused with this code may be accepted when it is said again.
inline bool is_passing(std::string_view code) noexcept {
  return code == "rate_limited" || code == "overloaded" || code == "internal";
}

enum class ServerFrameType : std::uint8_t {
  other,  // one that these clients have no use for
  welcome,
  authenticated,
  subscription_confirmed,
  resumed,
  unsubscribed,
  unsubscription_confirmed,
  restarted,
  message,
  gap,
  ack,
  error,
  token_expiring,
  draining,
};

struct ServerFrame {
  /// A pattern's place in one of the server's shards.
  struct Shard {
    std::string_view name;
    std::string_view epoch;
    std::uint64_t seq = 0;
  };
  /// An entry of a confirmation, or a name of `unsubscribed`.
  struct Topic {
    std::string_view name;
    std::string_view epoch;  // empty: of a pattern
    Offset offset = 0;
    bool recovered = false;
    std::span<const Shard> shards{};  // of a pattern
  };

  ServerFrameType type = ServerFrameType::other;
  std::string_view type_name, id, topic, epoch, sender, reason, code, words, session, user, shard;
  std::string_view payload;  // JSON text, or the bytes of a binary frame
  std::string_view header;   // the JSON object: the whole text, or what stands before the bytes
  Offset offset = 0, from = 0, to = 0;
  std::uint64_t seq = 0;  // of `shard`; what came by a pattern has both
  std::uint64_t sent_at = 0, delivered_to = 0, queued = 0, heartbeat_interval_ms = 0, reconnect_after_ms = 0,
                retry_after_ms = 0, messages_per_second = 0, frame_bytes = 0;
  bool resumed = false;
  bool is_binary = false;
  std::span<const Topic> topics;
};

class ServerFrameReader {
 public:
  ServerFrameReader();
  ~ServerFrameReader();
  ServerFrameReader(ServerFrameReader&&) noexcept;
  ServerFrameReader& operator=(ServerFrameReader&&) noexcept;

  /// Reads a text or binary message of the server. The error says why it is no frame.
  std::expected<ServerFrame, std::string> read(wire::Opcode opcode, std::string_view message);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace troupe::realtime
