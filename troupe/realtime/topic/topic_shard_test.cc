// TopicShard: publications are numbered and kept, positions outlive messages, and the bounds over all topics hold.
#include "troupe/realtime/topic/topic_shard.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

TopicName name(std::string_view text) { return TopicName::parse(text).value(); }
TopicPattern pattern(std::string_view text) { return TopicPattern::parse(text).value(); }

SettingsPtr settings_of(HistoryLimits history, RealtimeSettings::Namespaces namespaces = {}) {
  return std::make_shared<const RealtimeSettings>(NamespaceOptions{.history = history}, std::move(namespaces));
}

struct Shard {
  explicit Shard(TopicOptions options = {}, SettingsPtr settings = default_settings())
      : shard(options, std::move(settings), "0", random) {}

  std::expected<Publication, PublishError> publish(std::string_view topic, std::size_t bytes = 1,
                                                   std::string user = "u") {
    Payload payload{PayloadKind::json, '"' + std::string(bytes, 'x') + '"'};
    auto publication = std::make_unique<Publish>(actor::CoreMemory{}, name(topic), std::move(payload));
    return shard.publish({{0, 0, UserId{std::move(user)}}, std::move(publication)}, moment());
  }
  OpenedTopic open(std::string_view topic, std::optional<Position> recover = {}) {
    auto allowance = shard.allowance();
    return shard.open({0, pattern(topic), std::move(recover)}, moment(), allowance);
  }
  Moment moment() { return {now, {}, random}; }

  base::SeededRandom random{1};
  base::Instant now;
  TopicShard shard;
};

TEST_CASE("a topic's publications are numbered from 1 in its epoch, and all of the shard in one stream") {
  Shard shard;
  auto opened = shard.open("a");
  CHECK_EQ(opened.top.offset, 0);
  CHECK_EQ(shard.publish("a")->position, Position{opened.top.epoch, 1});
  CHECK_EQ(shard.publish("b")->position.offset, 1);
  CHECK_EQ(shard.publish("a")->position, Position{opened.top.epoch, 2});
  CHECK_EQ(shard.shard.top().offset, 3);
}

TEST_CASE("a publication names the cores that have subscribers, and bears a second frame for those by pattern") {
  Shard shard;
  CHECK(shard.publish("a.b")->cores.empty());
  shard.shard.add_interest(1, pattern("a.b"));
  shard.shard.add_interest(1, pattern("a.b"));  // said twice is said once
  auto by_name = shard.publish("a.b");
  CHECK_EQ(by_name->cores.listed(), std::vector<CoreIndex>{1});
  CHECK(by_name->frame_by_pattern.empty());
  shard.shard.add_interest(0, pattern("a.*"));
  auto both = shard.publish("a.b");
  CHECK_EQ(both->cores.listed(), std::vector<CoreIndex>{0, 1});
  CHECK_FALSE(both->frame_by_pattern.empty());
  shard.shard.drop_interest(1, pattern("a.b"));
  shard.shard.drop_interest(0, pattern("never"));
  CHECK_EQ(shard.publish("a.b")->cores.listed(), std::vector<CoreIndex>{0});
}

TEST_CASE("opening with a position recovers completely or not at all") {
  Shard shard{{}, settings_of({.count_max = 2})};
  auto epoch = shard.publish("a")->position.epoch;
  for (int i = 0; i < 3; ++i) shard.publish("a");
  auto two = shard.open("a", Position{epoch, 2});
  CHECK(two.recovered);
  CHECK_EQ(two.messages.size(), 2);
  auto one = shard.open("a", Position{epoch, 1});
  CHECK_FALSE(one.recovered);
  CHECK(one.messages.empty());
}

TEST_CASE("names that are opened together recover no more than is allowed, each all of it or nothing") {
  Shard shard{{.recover_messages_max = 5}};
  Position from{shard.publish("a")->position.epoch, 0};
  Position from_b{shard.publish("b")->position.epoch, 0};
  for (int i = 0; i < 2; ++i) shard.publish("a"), shard.publish("b");
  auto allowance = shard.shard.allowance();
  const auto open = [&](std::string_view topic, Position at) {
    return shard.shard.open({0, pattern(topic), std::move(at)}, shard.moment(), allowance);
  };
  CHECK_EQ(open("a", from).messages.size(), 3);
  const auto second = open("b", from_b);
  CHECK_FALSE(second.recovered);
  CHECK(second.messages.empty());
  CHECK_EQ(second.top.offset, 3);
  from_b.offset = 1;
  CHECK_EQ(open("b", from_b).messages.size(), 2);  // the rest
}

// What a pattern recovers: topics with their offsets, or "refused".
std::string recovered(Shard& shard, std::string_view topics, Offset seq, RecoveryAllowance allowance) {
  Position from{shard.shard.top().epoch, seq};
  auto opened = shard.shard.open({0, pattern(topics), from}, shard.moment(), allowance);
  if (!opened.recovered) return "refused";
  std::string text;
  for (const auto& one : opened.messages) text += fmt::format("{}{} ", one.topic, one.message.offset);
  return text;
}
std::string recovered(Shard& shard, std::string_view topics, Offset seq) {
  return recovered(shard, topics, seq, shard.shard.allowance());
}

TEST_CASE("a pattern recovers what its topics have published since, in the order of the shard, or nothing") {
  Shard shard{{}, settings_of({.count_max = 2, .age_max = 10s})};
  for (auto topic : {"a.x", "a.y", "b.x", "a.x", "b.x", "a.y"}) shard.publish(topic);
  CHECK_EQ(recovered(shard, "a.*", 0), "a.x1 a.y1 a.x2 a.y2 ");
  CHECK_EQ(recovered(shard, "a.*", 2), "a.x2 a.y2 ");
  CHECK_EQ(recovered(shard, "*.x", 3), "a.x2 b.x2 ");
  CHECK_EQ(recovered(shard, "c.>", 0), "");
  CHECK_EQ(recovered(shard, ">", 6), "");
  CHECK_EQ(recovered(shard, ">", 7), "refused");  // beyond the top
  auto allowance = shard.shard.allowance();
  CHECK_FALSE(shard.shard.open({0, pattern(">"), Position{Epoch{"other"}, 6}}, shard.moment(), allowance).recovered);
  shard.publish("a.x");  // its first, number 1 of the shard, is evicted
  CHECK_EQ(recovered(shard, "a.*", 0), "refused");
  CHECK_EQ(recovered(shard, "b.*", 0), "b.x1 b.x2 ");  // others have what they had
  CHECK_EQ(recovered(shard, "a.*", 1), "a.y1 a.x2 a.y2 a.x3 ");
  shard.now = shard.now + 10s;
  CHECK_EQ(recovered(shard, "a.*", 6), "refused");  // all has expired
  CHECK_EQ(recovered(shard, "a.*", 7), "");
}

TEST_CASE("what a pattern may recover is bounded, and its patterns share the bound") {
  Shard shard;
  for (int i = 0; i < 10; ++i) shard.publish(fmt::format("a.t{}", i), 100);
  const auto bytes = shard.shard.history_bytes() / 10;
  CHECK_NE(recovered(shard, "a.*", 0, {10, 10, 10 * bytes}), "refused");
  CHECK_EQ(recovered(shard, "a.*", 0, {9, 10, 10 * bytes}), "refused");
  CHECK_EQ(recovered(shard, "a.*", 0, {10, 9, 10 * bytes}), "refused");
  CHECK_EQ(recovered(shard, "a.*", 0, {10, 10, 10 * bytes - 1}), "refused");
  CHECK_EQ(recovered(shard, "b.*", 0, {9, 10, 10 * bytes}), "refused");  // to know that there is none costs the same
  CHECK_EQ(recovered(shard, "b.*", 8, {2, 0, 0}), "");
  RecoveryAllowance shared{100, 15, 100 * bytes};
  Position from{shard.shard.top().epoch, 0};
  CHECK(shard.shard.open({0, pattern("a.*"), from}, shard.moment(), shared).recovered);
  CHECK_FALSE(shard.shard.open({1, pattern(">"), from}, shard.moment(), shared).recovered);
}

TEST_CASE("nobody knows what a forgotten topic has published, so nothing before that is recovered") {
  Shard shard{{.topics_max = 2}, settings_of({.age_max = 10s})};
  shard.publish("a.x");
  shard.publish("b.x");
  shard.now = shard.now + 10s;
  shard.shard.expire(shard.now);
  shard.publish("c.x");  // in the place of a.x
  CHECK_EQ(recovered(shard, "c.*", 0), "refused");
  CHECK_EQ(recovered(shard, "c.*", 1), "c.x1 ");
}

TEST_CASE("a namespace has limits of its own") {
  Shard shard{{}, settings_of({}, {{"short", {.history = {.count_max = 1}}}})};
  for (int i = 0; i < 3; ++i) shard.publish("short.a"), shard.publish("other.a");
  CHECK_EQ(shard.shard.read({name("short.a"), 10, Direction::newest, {}}, shard.now).items.size(), 1);
  CHECK_EQ(shard.shard.read({name("other.a"), 10, Direction::newest, {}}, shard.now).items.size(), 3);
}

TEST_CASE("a namespace that keeps long does not keep others from forgetting") {
  Shard shard{{.topics_max = 2}, settings_of({.age_max = 10s}, {{"long", {.history = {.age_max = 1h}}}})};
  shard.publish("long.a");
  shard.publish("short");
  shard.now = shard.now + 10s;
  shard.shard.expire(shard.now);
  CHECK_EQ(shard.shard.read({name("long.a"), 10, Direction::newest, {}}, shard.now).items.size(), 1);
  CHECK(shard.publish("other").has_value());  // in the place of `short`, which keeps nothing any more
}

TEST_CASE("new settings hold at once for the topics that there are, in both directions") {
  Shard shard{{}, settings_of({.count_max = 3, .age_max = 1h})};
  for (int i = 0; i < 5; ++i) shard.publish("a", 100), shard.publish("b.x");
  auto kept = [&](std::string_view topic) {
    return shard.shard.read({name(topic), 10, Direction::newest, {}}, shard.now).items.size();
  };
  auto bytes = shard.shard.history_bytes();
  shard.shard.use(settings_of({.count_max = 1, .age_max = 1h}, {{"b", {.history = {.count_max = 4}}}}), shard.now);
  CHECK_EQ(kept("a"), 1);
  CHECK_EQ(kept("b.x"), 3);
  CHECK_LT(shard.shard.history_bytes(), bytes);
  for (int i = 0; i < 5; ++i) shard.publish("a"), shard.publish("b.x");
  CHECK_EQ(kept("a"), 1);
  CHECK_EQ(kept("b.x"), 4);
  CHECK_EQ(shard.open("a").top.offset, 10);  // the position is as it was

  shard.shard.use(settings_of({.age_max = 10s}), shard.now);
  shard.now = shard.now + 10s;
  shard.shard.expire(shard.now);
  CHECK_EQ(shard.shard.history_bytes(), 0);
}

TEST_CASE("topics that lose their messages to new settings are forgotten in the order of their last use") {
  Shard shard{{.topics_max = 40}};
  std::vector<std::string> names;
  for (int i = 0; i < 40; ++i) names.push_back(fmt::format("t{}", (i * 17) % 40));
  for (const auto& topic : names) shard.publish(topic);
  shard.shard.use(settings_of({.count_max = 0}), shard.now);
  for (int i = 0; i < 20; ++i) REQUIRE(shard.publish(fmt::format("new{}", i)).has_value());
  for (std::size_t i = 20; i < names.size(); ++i) CHECK_EQ(shard.publish(names[i])->position.offset, 2);
}

TEST_CASE("all topics together keep no more bytes than the bound, the longest unused losing first") {
  Shard shard{{.history_bytes_max = 10'000}};
  for (int i = 0; i < 50; ++i) shard.publish(fmt::format("t{}", i), 500);
  CHECK_LE(shard.shard.history_bytes(), 10'000);
  CHECK(shard.shard.read({name("t0"), 1, Direction::newest, {}}, shard.now).items.empty());
  CHECK_EQ(shard.shard.read({name("t49"), 1, Direction::newest, {}}, shard.now).items.size(), 1);
}

TEST_CASE("past the topic limit one that keeps nothing is forgotten, and one that keeps something is not") {
  Shard shard{{.topics_max = 2}, settings_of({.age_max = 10s})};
  auto epoch = shard.publish("a")->position.epoch;
  shard.publish("b");
  CHECK_EQ(shard.publish("c").error(), PublishError::overloaded);
  CHECK_EQ(shard.open("c").top.offset, 0);  // without a place of its own
  shard.now = shard.now + 10s;
  shard.shard.expire(shard.now);
  CHECK_EQ(shard.shard.history_bytes(), 0);
  CHECK(shard.publish("c").has_value());
  CHECK_EQ(shard.shard.topics(), 2);
  CHECK_NE(shard.open("a").top.epoch, epoch);  // it came back as another
}

TEST_CASE("the topics that one user has begun are bounded, and others have room beside them") {
  Shard shard{{.topics_max = 10, .by_user_max = 2}, settings_of({.age_max = 10s})};
  const auto publish = [&](std::string_view topic, std::string user) {
    return shard.publish(topic, 1, std::move(user));
  };
  const auto pass_time = [&] {
    shard.now = shard.now + 10s;
    shard.shard.expire(shard.now);
  };
  CHECK(publish("a", "eve").has_value());
  CHECK(publish("b", "eve").has_value());
  CHECK_EQ(publish("c", "eve").error(), PublishError::too_many_topics);
  CHECK(publish("a", "eve").has_value());  // of those that there are
  CHECK(publish("c", "bob").has_value());
  CHECK(publish("c", "eve").has_value());  // it is his
  pass_time();
  const auto epoch = shard.open("a").top.epoch;
  CHECK(publish("d", "eve").has_value());  // in the place of b, which is unused for longer
  CHECK_EQ(shard.open("a").top.epoch, epoch);
  CHECK(publish("a", "bob").has_value());  // whoever begins again
  CHECK(publish("e", "eve").has_value());
  CHECK_EQ(publish("b", "eve").error(), PublishError::too_many_topics);
  pass_time();
  CHECK(publish("d", "bob").has_value());  // who has as many as he may, so that it stays hers
  CHECK(publish("b", "eve").has_value());  // in the place of e
  CHECK_EQ(publish("e", "eve").error(), PublishError::too_many_topics);
}

TEST_CASE("what one user has begun and subscribed to counts although it keeps nothing, whichever came first") {
  for (const bool subscribed_before : {true, false}) {
    CAPTURE(subscribed_before);
    Shard shard{{.topics_max = 4, .by_user_max = 2}, settings_of({.count_max = 0})};
    const auto subscribe = [&] {
      for (const auto* topic : {"a", "b", "c", "d", "e"}) shard.shard.add_interest(0, pattern(topic));
    };
    if (subscribed_before) subscribe();
    CHECK(shard.publish("a", 1, "eve").has_value());
    CHECK(shard.publish("b", 1, "eve").has_value());
    if (!subscribed_before) subscribe();
    CHECK_EQ(shard.publish("c", 1, "eve").error(), PublishError::too_many_topics);
    CHECK_EQ(shard.publish("a", 1, "eve")->position.offset, 2);
    CHECK(shard.publish("c", 1, "bob").has_value());
    CHECK(shard.publish("d", 1, "bob").has_value());
    shard.shard.drop_interest(0, pattern("a"));
    CHECK(shard.publish("e", 1, "eve").has_value());  // in the place of a
    CHECK_EQ(shard.publish("b", 1, "eve")->position.offset, 2);
    CHECK_EQ(shard.shard.topics(), 4);
  }
}

TEST_CASE("who publishes to one name after the other that nobody is subscribed to is never refused") {
  Shard shard{{.topics_max = 100, .by_user_max = 5}, settings_of({.count_max = 0})};
  for (int i = 0; i < 50; ++i) CHECK_EQ(shard.publish(fmt::format("t{}", i), 1, "eve")->position.offset, 1);
  CHECK_EQ(shard.shard.topics(), 5);
}

TEST_CASE("whatever comes and goes, there are no more topics than may be, and in the end all of them make room") {
  base::SeededRandom random{3};
  Shard shard{{.topics_max = 20, .by_user_max = 5},
              settings_of({.count_max = 2, .age_max = 10s}, {{"none", {.history = {.count_max = 0}}}})};
  const auto any_name = [&] { return fmt::format("{}.{}", random.below(2) == 0 ? "none" : "some", random.below(20)); };
  std::set<std::string> subscribed;
  for (int step = 0; step < 5000; ++step) {
    const auto topic = any_name();
    switch (random.below(8)) {
      case 0:
        shard.shard.add_interest(0, pattern(topic));
        subscribed.insert(topic);
        break;
      case 1:
        shard.shard.drop_interest(0, pattern(topic));
        subscribed.erase(topic);
        break;
      case 2:
        shard.now = shard.now + 1s;
        shard.shard.expire(shard.now);
        break;
      case 3:
        (void)shard.open(topic);
        break;
      default:
        (void)shard.publish(topic, 1, fmt::format("u{}", random.below(3)));
    }
    REQUIRE_LE(shard.shard.topics(), 20);
  }
  for (const auto& topic : subscribed) shard.shard.drop_interest(0, pattern(topic));
  shard.now = shard.now + 10s;
  shard.shard.expire(shard.now);
  for (int i = 0; i < 30; ++i) CHECK(shard.publish(fmt::format("none.new{}", i), 1, "u0").has_value());
}

TEST_CASE("past the topic limit one with subscribers by name keeps its place, one that patterns alone bring does not") {
  Shard shard{{.topics_max = 2}, settings_of({.age_max = 10s})};
  const auto pass_time = [&] {
    shard.now = shard.now + 10s;
    shard.shard.expire(shard.now);
  };
  shard.shard.add_interest(0, pattern("a"));
  const auto epoch = shard.publish("a")->position.epoch;
  shard.publish("b");
  pass_time();
  CHECK(shard.publish("c").has_value());  // in the place of b
  CHECK_EQ(shard.publish("a")->position, Position{epoch, 2});
  pass_time();
  shard.shard.add_interest(1, pattern("*"));
  const auto other = shard.publish("d")->position.epoch;  // in the place of c, though somebody has heard of that
  CHECK_EQ(shard.publish("a")->position, Position{epoch, 3});
  shard.shard.add_interest(1, pattern("d"));
  pass_time();
  CHECK_EQ(shard.publish("e").error(), PublishError::overloaded);
  CHECK_EQ(shard.publish("d")->position, Position{other, 2});
  shard.shard.drop_interest(1, pattern("d"));
  pass_time();
  CHECK(shard.publish("e").has_value());  // in the place of d
  CHECK_EQ(shard.publish("a")->position, Position{epoch, 4});
}

TEST_CASE("who subscribes to names to which nothing is published keeps nobody from publishing to others") {
  Shard shard{{.topics_max = 3}};
  shard.shard.add_interest(0, pattern(">"));
  const auto epoch = shard.publish("kept")->position.epoch;
  for (const auto* topic : {"a", "b", "c", "d"}) CHECK_EQ(shard.open(topic).top.offset, 0);
  CHECK(shard.publish("new").has_value());
  CHECK(shard.publish("newer").has_value());
  CHECK_EQ(shard.publish("newest").error(), PublishError::overloaded);  // all that are left keep something
  CHECK_EQ(shard.publish("kept")->position, Position{epoch, 2});
}

TEST_CASE("the bytes of the namespaces are those of the shard, whatever goes and comes") {
  const HistoryLimits limits{.count_max = 3, .age_max = 10s};
  Shard shard{{.history_bytes_max = 2000}, settings_of(limits, {{"a", {.history = limits}}})};
  auto sum = [&] {
    const auto& bytes = shard.shard.history_bytes_by_namespace();
    auto total = bytes.other();
    for (const auto& [name, one] : bytes.named()) total += one;
    return total;
  };
  for (int round = 0; round < 40; ++round) {
    for (const auto* topic : {"a.x", "a.y", "b.x"}) (void)shard.publish(topic, 1 + static_cast<std::size_t>(round) * 7);
    if (round % 7 == 0) shard.now = shard.now + 11s;
    if (round % 5 == 0) shard.shard.expire(shard.now);
    if (round == 20) shard.shard.use(settings_of(limits, {{"b", {.history = limits}}}), shard.now);
    CHECK_EQ(sum(), shard.shard.history_bytes());
  }
  CHECK_GT(shard.shard.history_bytes_by_namespace().named().at("b"), 0);
  CHECK_EQ(shard.shard.history_bytes_by_namespace().named().size(), 2);
  shard.now = shard.now + 1h;
  shard.shard.expire(shard.now);
  CHECK_EQ(shard.shard.history_bytes(), 0);
  CHECK_EQ(sum(), 0);
}

}  // namespace
}  // namespace troupe::realtime
