// StreamCursor: where a stream of events is in each of its topics, in the shards where its
// patterns find theirs, and in its user's inbox; and the text for it that every event bears as
// its `id`, so that the client can go on from there.
//
// The text is opaque to clients and comes back from anybody: what cannot be read, or was made for other topics, is
// no position at all, and a position that is made up is one that cannot be recovered. Owned by one stream.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/realtime/protocol/ids.h"
#include "troupe/realtime/protocol/topic_name.h"

namespace troupe::realtime {

inline constexpr std::size_t stream_topics_max = 64;  // so that an id stays below that
inline constexpr std::size_t stream_shards_max = 64;  // of more, patterns are not recovered
inline constexpr std::size_t stream_id_bytes_max = 8 * 1024;

class StreamCursor {
 public:
  /// `topics`: names and patterns, at most stream_topics_max, in any order. Nothing is known of them yet.
  explicit StreamCursor(std::vector<TopicPattern> topics);

  /// Takes the positions that an earlier stream of the same topics has told; false, and none, where `id` is no such
  /// text.
  bool read(std::string_view id);
  /// The positions as a text of letters, digits, '-' and '_'.
  std::string id() const;

  /// The stream has shown everything of the topic up to there; a topic that begins with '$' is the inbox. Topics that
  /// the stream has not by name are passed over.
  void reach(std::string_view topic, const Position& position);
  /// Everything that comes by a pattern from this shard was shown up to `seq`; a shard that is not known, or is
  /// farther, is passed over.
  void reach_shard(std::string_view shard, std::uint64_t seq);
  /// The patterns begin there, in each shard.
  void begin_shards(ShardPositions shards) { shards_ = std::move(shards); }

  const std::vector<TopicPattern>& topics() const noexcept { return topics_; }
  /// There is no pattern among the topics.
  bool is_names() const noexcept { return std::ranges::all_of(topics_, &TopicPattern::is_name); }
  /// Where to go on, as far as it is known.
  std::vector<std::pair<TopicPattern, RecoverFrom>> known() const;
  const std::optional<Position>& inbox() const noexcept { return inbox_; }

 private:
  std::vector<TopicPattern> topics_;                // ascending
  std::vector<std::optional<Position>> positions_;  // of each; none of a pattern
  ShardPositions shards_;                           // of all patterns
  std::optional<Position> inbox_;
};

}  // namespace troupe::realtime
