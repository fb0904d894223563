// StreamCursor: where a stream of events is in each of its topics, in the shards where its
// patterns find theirs, and in its user's inbox; and the text for it that every event bears as
// its `id`, so that the client can go on from there.
//
// The text is opaque to clients and comes back from anybody: what cannot be read is no position at all, nor is one of
// other topics, and a position that is made up is one that cannot be recovered. Owned by one stream.
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

  /// Takes the positions that an earlier stream has told, in the topics that both have; false, and none, where `id` is
  /// no such text.
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
  /// From here on the stream has the pattern, and it is where the shards are.
  void follow(std::string_view pattern);
  /// From here on the stream has the topic no more. A name keeps its place. A pattern does not: the shards go on
  /// without it.
  void lose(std::string_view topic);

  const std::vector<TopicPattern>& topics() const noexcept { return topics_; }
  /// There is no pattern among the topics.
  bool is_names() const noexcept { return std::ranges::all_of(topics_, &TopicPattern::is_name); }
  /// Whether the id that was read is that of a stream which was asked for this topic, too.
  bool had(const TopicPattern& topic) const;
  /// Where to go on, as far as it is known.
  std::vector<std::pair<TopicPattern, RecoverFrom>> known() const;
  const std::optional<Position>& inbox() const noexcept { return inbox_; }

 private:
  struct Place {
    std::uint32_t check = 0;                // tells the topic from others in an id, and keeps nobody out
    std::optional<Position> position = {};  // of a name
    bool follows = false;                   // of a pattern: it is where the shards are
    bool had = false;                       // the id that was read names it
  };
  const Place* find(std::string_view topic) const;
  Place* find(std::string_view topic) { return const_cast<Place*>(std::as_const(*this).find(topic)); }

  std::vector<TopicPattern> topics_;  // ascending
  std::vector<Place> places_;         // of each
  ShardPositions shards_;             // of all patterns
  std::optional<Position> inbox_;
};

}  // namespace troupe::realtime
