// The ids of the real-time service, each its own type, and Position: a place in the
// numbered stream of one topic.
//
// Offsets count from 1 within an epoch; 0 means that nothing has been published yet. When
// continuity is lost, the epoch changes, and offsets of the old one mean nothing any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "troupe/base/strong.h"

namespace troupe::realtime {

using ConnectionId = base::Strong<struct ConnectionIdTag, std::string>;
using SessionId = base::Strong<struct SessionIdTag, std::string>;
using UserId = base::Strong<struct UserIdTag, std::string>;
using TokenId = base::Strong<struct TokenIdTag, std::string>;
using MessageId = base::Strong<struct MessageIdTag, std::string>;
using RequestId = base::Strong<struct RequestIdTag, std::string>;  // the client's own, echoed in the answer
using Epoch = base::Strong<struct EpochTag, std::string>;          // opaque to clients

using Offset = std::uint64_t;

inline constexpr Offset offset_max = (Offset{1} << 53) - 1;  // what every JSON reader can count to
inline constexpr std::size_t request_id_bytes_max = 64;
inline constexpr std::size_t epoch_bytes_max = 32;
inline constexpr std::size_t user_bytes_max = 200;  // "$user.<id>" stays a topic of at most 256 bytes

struct Position {
  Epoch epoch;
  Offset offset = 0;

  friend bool operator==(const Position&, const Position&) = default;
};

/// Where a pattern is: a place in the stream of each home shard, by the shard's name; `offset` is what clients call
/// `seq`.
using ShardPositions = std::map<std::string, Position, std::less<>>;

inline constexpr std::size_t shard_bytes_max = 32;

/// After what a subscription goes on: a name after its position, a pattern after those of the shards.
struct RecoverFrom {
  Position position{};
  ShardPositions shards{};

  friend bool operator==(const RecoverFrom&, const RecoverFrom&) = default;
};

}  // namespace troupe::realtime
