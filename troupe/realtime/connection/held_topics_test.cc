// What waits while a subscription is being made: in which order it goes, what of it is said instead, and what its
// bounds are.
#include "troupe/realtime/connection/held_topics.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include "troupe/base/random.h"

using namespace troupe;
using namespace troupe::realtime;

namespace {

const Epoch epoch{"e"};
constexpr HeldLimits wide{1000, 1024 * 1024};

FrameRef frame(const std::string& topic, Offset offset, Came came = Came::by_name, std::size_t bytes = 1) {
  return FrameRef::message(base::Bytes{std::string(bytes, 'x')}, topic, {epoch, offset}, Priority::normal, came);
}

TopicPattern pattern(std::string_view text) { return TopicPattern::parse(text).value(); }

/// "a:3" is a message, "a:3-5" a range that is missed.
std::vector<std::string> words(const HeldTopics::Released& released) {
  std::vector<std::string> all;
  for (const auto& one : released.messages) {
    const auto& [topic, offset] = std::pair{one.frame->topic, one.frame->position.offset};
    all.push_back(one.frame->bytes.size() > 0 ? fmt::format("{}:{}", topic, offset)
                                              : fmt::format("{}:{}-{}", topic, offset, one.missed_to));
  }
  return all;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("nothing waits while nothing is held, and afterwards") {
  HeldTopics held;
  CHECK_FALSE(held.take(frame("a", 1), Overflow::block));
  held.hold({pattern("a")}, {}, wide);
  CHECK(held.take(frame("a", 1), Overflow::block));
  CHECK_FALSE(held.take(frame("b", 1), Overflow::block));
  CHECK_EQ(words(held.release({pattern("a")}, {})), Words{"a:1"});
  CHECK(held.empty());
  CHECK_FALSE(held.take(frame("a", 2), Overflow::block));
}

TEST_CASE("what the client has by now is not sent again, and a hole behind it is told") {
  HeldTopics held;
  held.hold({pattern("a")}, {}, wide);
  for (const Offset offset : {3u, 4u, 7u, 8u}) held.take(frame("a", offset), Overflow::block);
  CHECK_EQ(words(held.release({pattern("a")}, {{"a", {epoch, 3}}})), Words{"a:4", "a:5-6", "a:7", "a:8"});
}

TEST_CASE("of a range that has been missed only what the client has not is told") {
  HeldTopics held;
  held.hold({pattern("a")}, {}, wide);
  held.take(frame("a", 2, Came::by_name, 0), Overflow::block, 6);
  held.take(frame("a", 7), Overflow::block);
  CHECK_EQ(words(held.release({pattern("a")}, {{"a", {epoch, 4}}})), Words{"a:5-6", "a:7"});
}

TEST_CASE("what is held twice goes when both have let it go") {
  HeldTopics held;
  held.hold({pattern("a")}, {}, wide);
  held.hold({pattern("a")}, {}, wide);
  held.take(frame("a", 1), Overflow::block);
  CHECK(words(held.release({pattern("a")}, {})).empty());
  CHECK_EQ(words(held.release({pattern("a")}, {})), Words{"a:1"});
}

TEST_CASE("what bears a `seq` does not pass an earlier message that is held, though its own topic is not") {
  HeldTopics held;
  held.hold({pattern("a.x")}, {}, wide);
  CHECK_FALSE(held.take(frame("a.y", 1, Came::by_pattern), Overflow::block));
  CHECK(held.take(frame("a.x", 1, Came::by_pattern), Overflow::block));
  CHECK(held.take(frame("a.y", 2, Came::by_pattern), Overflow::block));
  CHECK_FALSE(held.take(frame("b", 1), Overflow::block));
  CHECK_EQ(words(held.release({pattern("a.x")}, {})), Words{"a.x:1", "a.y:2"});
}

TEST_CASE("a topic that is let go waits on where its place comes behind another one's, and so does all of it") {
  HeldTopics held;
  held.hold({pattern("a.x")}, {}, wide);
  held.hold({pattern("a.z")}, {}, wide);
  held.take(frame("a.z", 1, Came::by_pattern), Overflow::block);
  held.take(frame("a.x", 5, Came::by_pattern), Overflow::block);
  held.take(frame("a.x", 6, Came::by_pattern), Overflow::block);
  CHECK(words(held.release({pattern("a.x")}, {{"a.x", {epoch, 5}}})).empty());
  CHECK(held.take(frame("a.x", 7), Overflow::block));
  CHECK_EQ(words(held.release({pattern("a.z")}, {})), Words{"a.z:1", "a.x:6", "a.x:7"});
}

TEST_CASE("what went out while only others were held is no hole when the topic is held again") {
  HeldTopics held;
  held.hold({pattern("a")}, {}, wide);
  held.hold({pattern("b")}, {}, wide);
  held.take(frame("a", 1), Overflow::block);
  CHECK_EQ(words(held.release({pattern("a")}, {})), Words{"a:1"});
  CHECK_FALSE(held.take(frame("a", 2), Overflow::block));
  held.hold({pattern("a")}, {}, wide);
  held.take(frame("a", 3), Overflow::block);
  CHECK_EQ(words(held.release({pattern("a")}, {})), Words{"a:3"});
}

TEST_CASE("where topics of one command are let go one by one, nothing that has gone out is told as missed") {
  HeldTopics held;
  const TopicPositions last{{"a.x", {epoch, 3}}, {"a.z", {epoch, 0}}};
  held.hold({pattern("a.x")}, {}, wide);
  held.hold({pattern("a.z")}, {}, wide);
  held.take(frame("a.x", 4, Came::by_pattern), Overflow::block);
  held.take(frame("a.z", 1, Came::by_pattern), Overflow::block);
  held.take(frame("a.x", 5, Came::by_pattern), Overflow::block);
  CHECK_EQ(words(held.release({pattern("a.x")}, last)), Words{"a.x:4"});
  CHECK_EQ(words(held.release({pattern("a.z")}, last)), Words{"a.z:1", "a.x:5"});
}

TEST_CASE("what waits for a pattern alone, which is recovered with it, holds up nothing of others") {
  HeldTopics held;
  held.hold({pattern("q.*")}, {}, wide);
  CHECK(held.take(frame("q.a", 1, Came::by_pattern), Overflow::block));
  CHECK_FALSE(held.take(frame("p.a", 1, Came::by_pattern), Overflow::block));
  CHECK_EQ(words(held.release({pattern("q.*")}, {{"q.a", {epoch, 1}}})), Words{});
}

TEST_CASE("what waits for a pattern and is owed by a live one holds up what the live one brings") {
  HeldTopics held;
  held.hold({pattern("*.b")}, {pattern("p.*")}, wide);
  CHECK_FALSE(held.take(frame("p.a", 1, Came::by_pattern), Overflow::block));
  CHECK(held.take(frame("p.b", 1, Came::by_pattern), Overflow::block));
  CHECK(held.take(frame("p.a", 2, Came::by_pattern), Overflow::block));
  CHECK_EQ(words(held.release({pattern("*.b")}, {})), Words{"p.b:1", "p.a:2"});
  held.hold({pattern("*.b")}, {pattern("p.*")}, {2, 1024});
  CHECK(held.take(frame("p.b", 2, Came::by_pattern), Overflow::block));
  CHECK(held.take(frame("q.b", 1, Came::by_pattern), Overflow::block));
  CHECK(held.take(frame("q.b", 2, Came::by_pattern), Overflow::block));  // p.b:2 was lost for it
  CHECK(held.take(frame("p.a", 3, Came::by_pattern), Overflow::block));
  CHECK_EQ(words(held.release({pattern("*.b")}, {})), Words{"p.b:2-2", "q.b:1-1", "q.b:2", "p.a:3"});
}

TEST_CASE("all topics of a command are let go at once, each behind its own place") {
  HeldTopics held;
  const std::vector<TopicPattern> topics{pattern("a"), pattern("b"), pattern("c.*")};
  held.hold(topics, {}, wide);
  for (const auto& [topic, offset] : {std::pair{"b", 2}, {"a", 2}, {"c.x", 2}, {"b", 3}}) {
    held.take(frame(topic, static_cast<Offset>(offset)), Overflow::block);
  }
  CHECK_EQ(words(held.release(topics, {{"a", {epoch, 2}}, {"b", {epoch, 0}}})), Words{"b:1-1", "b:2", "c.x:2", "b:3"});
  CHECK(held.empty());
}

TEST_CASE("past the bounds the oldest goes, and is told as missed in front of the rest of its topic") {
  struct Row {
    HeldLimits limits;
    std::size_t bytes;
    Words expected;
  };
  const Row rows[] = {
      {{3, 1024}, 1, {"b:1-2", "a:1", "a:2", "b:3"}},
      {{100, 1000}, 300, {"b:1-2", "a:1", "a:2", "b:3"}},
      {{100, 100}, 300, {"a:1-2", "b:1-2", "b:3"}},  // one message is held, however large
  };
  for (const auto& row : rows) {
    for (const auto* holder : {">", "b"}) {
      HeldTopics held;
      held.hold({pattern("a")}, {}, row.limits);
      held.hold({pattern(holder)}, {}, row.limits);
      held.take(frame("b", 1, Came::by_name, row.bytes), Overflow::block);
      held.take(frame("b", 2, Came::by_name, row.bytes), Overflow::block);
      held.take(frame("a", 1, Came::by_name, row.bytes), Overflow::block);
      held.take(frame("a", 2, Came::by_name, row.bytes), Overflow::block);
      held.take(frame("b", 3, Came::by_name, row.bytes), Overflow::block);
      Words all = words(held.release({pattern("a")}, {}));
      for (auto& word : words(held.release({pattern(holder)}, {}))) all.push_back(std::move(word));
      std::ranges::sort(all);
      Words expected = row.expected;
      std::ranges::sort(expected);
      CHECK_EQ(all, expected);
    }
  }
}

TEST_CASE("what was lost of more topics than can be told overruns the connection") {
  HeldTopics held;
  held.hold({pattern(">")}, {}, {2, 1024});
  for (int i = 0; i < 4; ++i) held.take(frame(fmt::format("t{}", i), 1), Overflow::block);
  CHECK_FALSE(HeldTopics{}.release({pattern(">")}, {}).overrun);
  held.take(frame("t5", 1), Overflow::block);
  CHECK(held.release({pattern(">")}, {}).overrun);
}

TEST_CASE("what waited for a subscription that will be recovered is forgotten, and what waited behind it goes") {
  HeldTopics held;
  held.hold({pattern("a.x")}, {}, wide);
  held.hold({pattern("b")}, {}, wide);
  held.take(frame("a.x", 1, Came::by_pattern), Overflow::block);
  held.take(frame("a.y", 1, Came::by_pattern), Overflow::block);
  held.take(frame("b", 1), Overflow::block);
  CHECK_EQ(words(held.discard({pattern("a.x")})), Words{"a.y:1"});
  CHECK_EQ(words(held.release({pattern("b")}, {})), Words{"b:1"});
}

// Three topics lie in a pattern that is live, two do not. Names are held and let go at random, and what comes goes out
// at once or is held.
TEST_CASE("whatever is held and let go, each topic and all that bears a `seq` keep their order, and nothing is lost") {
  base::SeededRandom random{7};
  const std::string names[] = {"p.a", "p.b", "p.c", "a", "b"};
  for (int round = 0; round < 300; ++round) {
    HeldTopics held;
    std::map<std::string, Offset> came, gone;
    std::map<std::pair<std::string, Offset>, int> seqs;
    std::multiset<std::string> holders;
    int seq = 0, last_seq = 0;
    const auto goes = [&](const std::string& topic, Offset offset) {
      CHECK_EQ(offset, gone[topic] + 1);
      gone[topic] = offset;
      if (!topic.starts_with("p.")) return;
      const int its = seqs.at({topic, offset});
      CHECK_GT(its, last_seq);
      last_seq = its;
    };
    const auto let_go = [&](std::string name) {
      holders.erase(holders.find(name));
      for (const auto& one : held.release(name, {}, HeldTopics::Holes::told).messages) {
        goes(one.frame->topic, one.frame->position.offset);
      }
    };
    for (int step = 0; step < 100; ++step) {
      const auto& name = names[random.below(5)];
      const auto choice = random.below(8);
      if (choice == 0) {
        held.hold(std::string{name}, wide);
        holders.insert(name);
      } else if (choice == 1 && holders.contains(name)) {
        let_go(name);
      } else {
        const Offset offset = ++came[name];
        const bool by_pattern = name.starts_with("p.");
        if (by_pattern) seqs[{name, offset}] = ++seq;
        const auto message = frame(name, offset, by_pattern ? Came::by_pattern : Came::by_name);
        if (!held.take(message, Overflow::block)) goes(name, offset);
      }
    }
    while (!holders.empty()) let_go(*holders.begin());
    CHECK(held.empty());
    CHECK_EQ(gone, came);
  }
}
