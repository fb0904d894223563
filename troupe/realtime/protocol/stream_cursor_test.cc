// StreamCursor: what it says it reads back, for each topic that both have; and whatever else comes back harms nobody.
#include "troupe/realtime/protocol/stream_cursor.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "troupe/base/random.h"
#include "troupe/wire/base64.h"

namespace troupe::realtime {
namespace {

std::vector<TopicPattern> topics(std::initializer_list<std::string_view> names) {
  std::vector<TopicPattern> topics;
  for (auto name : names) topics.push_back(TopicPattern::parse(name).value());
  return topics;
}

TEST_CASE("positions are read back from an id, whatever the order in which the topics are named") {
  StreamCursor cursor{topics({"b", "a", "c", "d.*"})};
  cursor.reach("a", {Epoch{"00ff00ff00ff00ff"}, 7});
  cursor.reach("b", {Epoch{"an epoch of another form"}, offset_max});
  cursor.reach("d.x", {Epoch{"1"}, 1});  // came by a pattern
  cursor.reach("$user.bob", {Epoch{"0123456789abcdef"}, 300});
  StreamCursor other{topics({"d.*", "c", "a", "b"})};
  REQUIRE(other.read(cursor.id()));
  CHECK_EQ(other.known(), cursor.known());
  REQUIRE_EQ(other.known().size(), 2);
  CHECK_EQ(other.known()[0].second.position, Position{Epoch{"00ff00ff00ff00ff"}, 7});
  CHECK_EQ(other.known()[1].second.position, Position{Epoch{"an epoch of another form"}, offset_max});
  CHECK_EQ(other.inbox(), Position{Epoch{"0123456789abcdef"}, 300});
  CHECK_EQ(other.id(), cursor.id());
}

TEST_CASE("patterns share the places in the shards, which only rise") {
  StreamCursor cursor{topics({"a.*", "b", "c.>"})};
  for (const auto* pattern : {"a.*", "c.>"}) cursor.follow(pattern);
  cursor.begin_shards({{"0", {Epoch{"00ff00ff00ff00ff"}, 5}}, {"1", {Epoch{"f"}, 0}}});
  cursor.reach_shard("0", 9);
  cursor.reach_shard("0", 7);
  cursor.reach_shard("2", 7);  // of which nobody has told
  StreamCursor other{topics({"a.*", "b", "c.>"})};
  REQUIRE(other.read(cursor.id()));
  REQUIRE_EQ(other.known().size(), 2);
  const ShardPositions shards{{"0", {Epoch{"00ff00ff00ff00ff"}, 9}}, {"1", {Epoch{"f"}, 0}}};
  for (const auto& [pattern, from] : other.known()) CHECK_EQ(from.shards, shards);
  CHECK_EQ(other.known()[0].first.text(), "a.*");
  CHECK_EQ(other.known()[1].first.text(), "c.>");
}

TEST_CASE("an id says where to go on in the topics that both streams have, and nothing of any other") {
  StreamCursor cursor{topics({"a", "b", "c.*"})};
  cursor.reach("a", {Epoch{"e"}, 7});
  cursor.reach("b", {Epoch{"f"}, 8});
  cursor.reach("$user.bob", {Epoch{"i"}, 9});
  cursor.follow("c.*");
  cursor.begin_shards({{"0", {Epoch{"g"}, 5}}});
  struct Row {
    std::vector<TopicPattern> wanted;
    std::string known;
  };
  const Row rows[] = {
      {topics({"a", "b", "c.*"}), "a=7 b=8 c.*=5 "},
      {topics({"a"}), "a=7 "},
      {topics({"b", "d"}), "b=8 "},
      {topics({"a.*", "ab", "d"}), ""},
      {topics({"c.*", "d.*"}), "c.*=5 "},
      {topics({"*", "a"}), "a=7 "},
  };
  for (const Row& row : rows) {
    CAPTURE(row.known);
    StreamCursor other{row.wanted};
    REQUIRE(other.read(cursor.id()));
    std::string known;
    for (const auto& [topic, from] : other.known()) {
      known += fmt::format("{}={} ", topic.text(), topic.is_name() ? from.position.offset : from.shards.at("0").offset);
    }
    CHECK_EQ(known, row.known);
    CHECK_EQ(other.inbox(), Position{Epoch{"i"}, 9});
    for (const auto& topic : row.wanted)
      CHECK_EQ(other.had(topic), row.known.contains(fmt::format("{}=", topic.text())));
  }
}

TEST_CASE("of what a stream has lost a name keeps its place, and a pattern has none, for the shards go on without it") {
  StreamCursor cursor{topics({"a", "b.*", "c.*"})};
  cursor.reach("a", {Epoch{"e"}, 7});
  for (const auto* pattern : {"b.*", "c.*"}) cursor.follow(pattern);
  cursor.begin_shards({{"0", {Epoch{"g"}, 5}}});
  for (const auto* topic : {"a", "b.*", "never"}) cursor.lose(topic);
  StreamCursor other{topics({"a", "b.*", "c.*"})};
  REQUIRE(other.read(cursor.id()));
  REQUIRE_EQ(other.known().size(), 2);
  CHECK_EQ(other.known()[0].first.text(), "a");
  CHECK_EQ(other.known()[1].first.text(), "c.*");
  for (const auto& topic : other.topics()) CHECK(other.had(topic));
  other.follow("b.*");
  CHECK_EQ(other.known().size(), 3);
}

TEST_CASE("what is no id leaves the cursor as it was") {
  StreamCursor cursor{topics({"a"})};
  cursor.reach("a", {Epoch{"e"}, 7});
  auto id = cursor.id();
  for (std::string_view text : {"", "x", "AQ", "a\nb", "AAAA", "!!!!"}) CHECK_FALSE(cursor.read(text));
  CHECK_FALSE(cursor.read(std::string(100'000, 'A')));
  CHECK_FALSE(cursor.read(id + "AAAA"));
  for (std::size_t size = 0; size < id.size(); ++size) CHECK_FALSE(cursor.read(id.substr(0, size)));
  CHECK_EQ(cursor.id(), id);
}

TEST_CASE("an id that is tampered with gives a position or none, of no more than may be") {
  base::SeededRandom random{7};
  StreamCursor cursor{topics({"a", "b", "c.*"})};
  cursor.reach("a", {Epoch{"00ff00ff00ff00ff"}, 1'000'000});
  cursor.reach("b", {Epoch{"e"}, 1});
  cursor.follow("c.*");
  cursor.begin_shards({{"0", {Epoch{"e"}, 5}}, {"1", {Epoch{"f"}, 0}}});
  auto bytes = wire::from_base64url(cursor.id()).value();
  for (int round = 0; round < 5000; ++round) {
    auto forged = bytes;
    for (auto changes = random.below(4) + 1; changes > 0; --changes) {
      forged[random.below(forged.size())] = static_cast<char>(random.below(256));
    }
    if (random.below(3) == 0) forged.resize(random.below(forged.size()));
    StreamCursor other{topics({"a", "b", "c.*"})};
    if (!other.read(wire::to_base64url(forged))) continue;
    for (const auto& [topic, from] : other.known()) {
      const auto& position = from.position;
      CHECK_LE(position.epoch.value().size(), epoch_bytes_max);
      CHECK_LE(position.offset, offset_max);
    }
  }
}

TEST_CASE("an id of more shards than may be is none, and one of as many topics as may be is read") {
  const auto is_read = [&](std::size_t names, std::size_t shards) {
    std::vector<TopicPattern> wanted{TopicPattern::parse("a.*").value()};
    for (std::size_t i = 1; i < names; ++i) wanted.push_back(TopicPattern::parse(fmt::format("t{}", i)).value());
    StreamCursor cursor{wanted};
    ShardPositions places;
    for (std::size_t i = 0; i < shards; ++i) places[fmt::format("{}", i)] = {Epoch{"e"}, i};
    cursor.follow("a.*");
    cursor.begin_shards(places);
    StreamCursor other{topics({"a.*"})};
    const bool read = other.read(cursor.id());
    CHECK_EQ(other.known().size(), read ? 1 : 0);
    return read;
  };
  CHECK(is_read(stream_topics_max, stream_shards_max));
  CHECK_FALSE(is_read(1, stream_shards_max + 1));
}

TEST_CASE("an id of as many topics as may be is short enough to be read") {
  std::vector<TopicPattern> many;
  for (std::size_t i = 0; i < stream_topics_max; ++i) {
    many.push_back(TopicPattern::parse(fmt::format("t{}", i)).value());
  }
  many.back() = TopicPattern::parse("t.*").value();  // without which there are no shards
  StreamCursor cursor{many};
  for (const auto& topic : many) cursor.reach(topic.text(), {Epoch{std::string(epoch_bytes_max, 'e')}, offset_max});
  cursor.reach("$user.x", {Epoch{std::string(epoch_bytes_max, 'e')}, offset_max});
  cursor.follow("t.*");
  ShardPositions shards;
  for (std::size_t i = 0; i < stream_shards_max; ++i)
    shards[fmt::format("{}", i)] = {Epoch{"0123456789abcdef"}, offset_max};
  cursor.begin_shards(shards);
  CHECK_LE(cursor.id().size(), stream_id_bytes_max);
  CHECK(StreamCursor{many}.read(cursor.id()));
}

}  // namespace
}  // namespace troupe::realtime
