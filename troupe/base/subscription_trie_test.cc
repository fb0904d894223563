// SubscriptionTrie: who is found, what is kept and forgotten, held against brute force.
#include "troupe/base/subscription_trie.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <rapidcheck.h>

#include <bit>
#include <map>

#include "troupe/base/testing/topic_generators.h"

namespace troupe::base {
namespace {

using Via = SubscriptionTrie::Via;

TopicName name(std::string_view text) { return TopicName::parse(text).value(); }
TopicPattern pattern(std::string_view text) { return TopicPattern::parse(text).value(); }

std::vector<std::uint32_t> subscribers(SubscriptionTrie& trie, std::string_view topic) {
  std::vector<std::uint32_t> found;
  for (const auto& match : trie.match(name(topic))) found.push_back(match.subscriber);
  return found;
}

using Subscribers = std::vector<std::uint32_t>;

TEST_CASE("a publication finds those who subscribed by name and by pattern, each once") {
  SubscriptionTrie trie;
  trie.add(pattern("chat.general"), 3);
  trie.add(pattern("chat.*"), 1, 7);
  trie.add(pattern("chat.*"), 3);
  trie.add(pattern(">"), 2);
  trie.add(pattern("chat.other"), 4);
  auto matches = trie.match(name("chat.general"));
  REQUIRE_EQ(matches.size(), 3);
  CHECK_EQ(matches[0].subscriber, 1);
  CHECK_EQ(matches[0].via, Via::pattern);
  CHECK_EQ(matches[0].tag, 7);
  CHECK_EQ(matches[1].subscriber, 2);
  CHECK_EQ(matches[2].subscriber, 3);
  CHECK_EQ(matches[2].via, Via::pattern);
  CHECK_EQ(subscribers(trie, "news"), Subscribers{2});
  CHECK_EQ(subscribers(trie, "$user.bob"), Subscribers{});
}

TEST_CASE("the first and the last subscriber of a pattern are told") {
  SubscriptionTrie trie;
  auto first = trie.add(pattern("a.*"), 1);
  auto second = trie.add(pattern("a.*"), 2);
  CHECK(first.first);
  CHECK_FALSE(second.first);
  CHECK_FALSE(trie.remove(first.id, pattern("a.*")));
  CHECK(trie.remove(second.id, pattern("a.*")));
  CHECK_EQ(trie.size(), 0);
}

TEST_CASE("the tag is that of the subscription by name") {
  SubscriptionTrie trie;
  trie.add(pattern("a.*"), 1, 5);
  trie.add(pattern("a.b"), 1, 6);
  CHECK_EQ(trie.match(name("a.b"))[0].tag, 6);
  CHECK_EQ(trie.match(name("a.c"))[0].tag, 5);
}

TEST_CASE("a result is kept until a subscription that can affect it changes") {
  SubscriptionTrie trie;
  trie.add(pattern("a.b"), 1);
  trie.add(pattern("c"), 1);
  auto hits = [&] {
    auto before = trie.stats().hits;
    trie.match(name("a.b"));
    return trie.stats().hits - before;
  };
  hits();
  CHECK_EQ(hits(), 1);
  trie.add(pattern("c.*"), 2);
  CHECK_EQ(hits(), 1);
  trie.add(pattern("*.b"), 2);
  CHECK_EQ(hits(), 0);
  CHECK_EQ(subscribers(trie, "a.b"), Subscribers{1, 2});
}

TEST_CASE("a change looks at the paths of kept results, not at the patterns beside them") {
  SubscriptionTrie trie;
  for (int i = 0; i < 5000; ++i) trie.add(pattern(fmt::format("bench.p{}.>", i)), 1);
  trie.add(pattern("bench.*"), 2);
  CHECK_EQ(trie.match(name("bench.fanout")).size(), 1);
  const auto before = trie.stats().forgot;
  const auto added = trie.add(pattern("bench.*.c"), 3);
  trie.remove(added.id, pattern("bench.*.c"));
  CHECK_LE(trie.stats().forgot - before, 8);
  CHECK_EQ(trie.match(name("bench.fanout")).size(), 1);
  CHECK_EQ(trie.stats().hits, 1);
}

TEST_CASE("kept results are bounded, and nothing remains when all have left") {
  SubscriptionTrie trie{8};
  auto all = trie.add(pattern(">"), 1);
  for (int i = 0; i < 1000; ++i) CHECK_EQ(subscribers(trie, "t" + std::to_string(i) + ".x"), Subscribers{1});
  CHECK_LE(trie.nodes(), 2 + 8 * 2);
  trie.remove(all.id, pattern(">"));
  CHECK_EQ(trie.nodes(), 1);
}

// Patterns of eight segments, each `a` or `*`, as many as may be, and a ninth that is `z`.
void add_all_ways_to_z(SubscriptionTrie& trie) {
  for (unsigned ways = 0; ways < 256; ++ways) {
    if (std::popcount(ways) > 4) continue;
    std::string text;
    for (unsigned at = 0; at < 8; ++at) text += (ways >> at & 1U) != 0 ? "*." : "a.";
    trie.add(pattern(text + "z"), 1);
  }
}

TEST_CASE("that nobody is found is kept where finding it out was dear, until somebody comes") {
  SubscriptionTrie trie;
  add_all_ways_to_z(trie);
  const std::string_view topic = "a.a.a.a.a.a.a.a.b";
  CHECK_EQ(subscribers(trie, topic), Subscribers{});
  const auto visited = trie.stats().visited;
  CHECK_GT(visited, 64);
  CHECK_EQ(subscribers(trie, topic), Subscribers{});
  CHECK_EQ(trie.stats().visited, visited);
  CHECK_EQ(trie.stats().hits, 1);
  auto added = trie.add(pattern("a.>"), 2);
  CHECK_EQ(subscribers(trie, topic), Subscribers{2});
  trie.remove(added.id, pattern("a.>"));
  CHECK_EQ(subscribers(trie, topic), Subscribers{});
  CHECK_EQ(trie.stats().hits, 1);
}

TEST_CASE("that nobody is found is not kept where it is found out at once") {
  SubscriptionTrie trie;
  trie.add(pattern("a.*"), 1);
  for (int i = 0; i < 2; ++i) CHECK_EQ(subscribers(trie, "b"), Subscribers{});
  CHECK_EQ(trie.stats().hits, 0);
  CHECK_EQ(trie.nodes(), 3);
}

TEST_CASE("results of nobody are bounded like others, and go when all have left") {
  SubscriptionTrie trie{8, 1};
  auto added = trie.add(pattern("a.b"), 1);
  const auto before = trie.nodes();
  for (int i = 0; i < 1000; ++i) CHECK_EQ(subscribers(trie, fmt::format("a.t{}.x", i)), Subscribers{});
  CHECK_LE(trie.nodes(), before + 8 * 2);
  trie.remove(added.id, pattern("a.b"));
  CHECK_EQ(trie.nodes(), 1);
}

// Subscriptions in a plain list.
struct Model {
  struct Held {
    TopicPattern pattern;
    std::uint32_t subscriber;
    SubscriptionTrie::SubscriptionId id;
  };
  std::vector<Held> held;

  std::map<std::uint32_t, Via> match(const TopicName& topic) const {
    std::map<std::uint32_t, Via> found;
    for (const auto& one : held) {
      if (!one.pattern.matches(topic)) continue;
      auto& via = found.try_emplace(one.subscriber, Via::name).first->second;
      if (!one.pattern.is_name()) via = Via::pattern;
    }
    return found;
  }
};

TEST_CASE("under any sequence of changes the trie finds what brute force finds") {
  CHECK(rc::check("the trie equals the model", [] {
    SubscriptionTrie trie{*rc::gen::inRange<std::size_t>(1, 6),
                          *rc::gen::elementOf(std::vector<std::uint64_t>{1, 2, 64})};
    Model model;
    auto steps = *rc::gen::inRange(0, 60);
    for (int step = 0; step < steps; ++step) {
      auto what = *rc::gen::inRange(0, 4);
      if (what == 0) {
        auto chosen = *testing::pattern();
        auto subscriber = *rc::gen::inRange<std::uint32_t>(0, 5);
        auto same = [&](const Model::Held& one) { return one.pattern == chosen && one.subscriber == subscriber; };
        if (std::ranges::any_of(model.held, same)) continue;
        auto others = std::ranges::any_of(model.held, [&](const auto& one) { return one.pattern == chosen; });
        auto added = trie.add(chosen, subscriber);
        RC_ASSERT(added.first == !others);
        model.held.push_back({chosen, subscriber, added.id});
      } else if (what == 1 && !model.held.empty()) {
        auto at = model.held.begin() + *rc::gen::inRange<std::ptrdiff_t>(0, std::ssize(model.held));
        auto gone = *at;
        model.held.erase(at);
        auto others = std::ranges::any_of(model.held, [&](const auto& one) { return one.pattern == gone.pattern; });
        RC_ASSERT(trie.remove(gone.id, gone.pattern) == !others);
      } else {
        auto topic = *testing::name();
        std::map<std::uint32_t, Via> found;
        for (const auto& match : trie.match(topic)) RC_ASSERT(found.try_emplace(match.subscriber, match.via).second);
        RC_ASSERT(found == model.match(topic));
      }
    }
    RC_ASSERT(trie.size() == model.held.size());
    for (const auto& one : model.held) trie.remove(one.id, one.pattern);
    RC_ASSERT(trie.nodes() == std::size_t{1});
  }));
}

}  // namespace
}  // namespace troupe::base
