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

#include "troupe/base/shared_text.h"
#include "troupe/base/strong.h"
#include "troupe/realtime/protocol/short_id.h"

namespace troupe::realtime {

// Each connection has these, in half a dozen tables: they take one word or two, however long a user's name is.
using ConnectionId = base::Strong<struct ConnectionIdTag, ShortId>;
using SessionId = base::Strong<struct SessionIdTag, ShortId>;
using UserId = base::Strong<struct UserIdTag, base::SharedText>;
using TokenId = base::Strong<struct TokenIdTag, base::SharedText>;
using MessageId = base::Strong<struct MessageIdTag, std::string>;
using RequestId = base::Strong<struct RequestIdTag, std::string>;  // the client's own, echoed in the answer
using Epoch = base::Strong<struct EpochTag, base::SharedText>;     // opaque to clients

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
