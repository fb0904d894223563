// StreamCursor: what it says it reads back, for the same topics alone; and whatever else comes back harms nobody.
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

TEST_CASE("an id of other topics is none") {
  StreamCursor cursor{topics({"a", "b"})};
  cursor.reach("a", {Epoch{"e"}, 7});
  for (auto others : {topics({"a"}), topics({"a", "c"}), topics({"ab"}), topics({"a", "b", "c"}), topics({"a", "*"})}) {
    StreamCursor other{others};
    CHECK_FALSE(other.read(cursor.id()));
    CHECK(other.known().empty());
  }
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

TEST_CASE("an id of more shards than may be is none, nor is one of shards without a pattern") {
  ShardPositions shards;
  for (std::size_t i = 0; i < stream_shards_max; ++i) shards[fmt::format("{}", i)] = {Epoch{"e"}, i};
  const auto id_of = [&](std::vector<TopicPattern> wanted) {
    StreamCursor cursor{std::move(wanted)};
    cursor.begin_shards(shards);
    return cursor.id();
  };
  CHECK(StreamCursor{topics({"a", "b.*"})}.read(id_of(topics({"a", "b.*"}))));
  CHECK_FALSE(StreamCursor{topics({"a", "b"})}.read(id_of(topics({"a", "b"}))));
  shards["one more"] = {Epoch{"e"}, 1};
  StreamCursor other{topics({"a", "b.*"})};
  CHECK_FALSE(other.read(id_of(topics({"a", "b.*"}))));
  CHECK(other.known().empty());
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
  ShardPositions shards;
  for (std::size_t i = 0; i < stream_shards_max; ++i)
    shards[fmt::format("{}", i)] = {Epoch{"0123456789abcdef"}, offset_max};
  cursor.begin_shards(shards);
  CHECK_LE(cursor.id().size(), stream_id_bytes_max);
  CHECK(StreamCursor{many}.read(cursor.id()));
}

}  // namespace
}  // namespace troupe::realtime
