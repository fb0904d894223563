// HistoryChecker and HistoryRecording: what is in order passes, and each way of breaking a promise is noticed.
#include "troupe/realtime/protocol/history_checker.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "troupe/realtime/protocol/history_recording.h"

namespace troupe::realtime {
namespace {

struct Judged {
  std::string first;  // violation; empty when there is none
  HistoryFigures figures;
};

// Lines in short: observer, a sign, a frame with ' for ".
Judged judge(std::vector<std::string_view> lines, bool quiet = true) {
  HistoryChecker checker;
  HistoryRecording recording{checker};
  for (auto line : lines) {
    std::string observer{line.substr(0, 1)};
    std::string_view kind = line[1] == '>' ? "sent" : line[1] == '<' ? "received" : "closed";
    std::string frame{line.substr(2)};
    std::ranges::replace(frame, '\'', '"');
    auto taken = recording.line(R"({"observer":")" + observer + R"(",")" + std::string{kind} + R"(":)" +
                                (frame.empty() ? "true" : frame) + "}");
    CHECK_MESSAGE(taken.has_value(), line);
  }
  checker.finish(quiet);
  CHECK_EQ(checker.violations().empty(), checker.figures().violations == 0);
  return {checker.violations().empty() ? "" : checker.violations().front().what, checker.figures()};
}

constexpr std::string_view subscribed =
    "a<{'type':'subscription_confirmed','topics':[{'topic':'t','epoch':'e','offset':2,'recovered':false}]}";
constexpr std::string_view third = "a<{'type':'message','topic':'t','epoch':'e','offset':3,'payload':3}";
constexpr std::string_view fourth = "a<{'type':'message','topic':'t','epoch':'e','offset':4,'payload':4}";
constexpr std::string_view gap = "a<{'type':'gap','topic':'t','epoch':'e','from':3,'to':3,'reason':'overflow'}";

TEST_CASE("what comes in order, or is told to be missing, passes") {
  auto all = judge({subscribed, third, fourth});
  CHECK_EQ(all.first, "");
  CHECK_EQ(all.figures.deliveries, 2);
  auto told = judge({subscribed, gap, fourth});
  CHECK_EQ(told.first, "");
  CHECK_EQ(told.figures.missed, 1);
}

TEST_CASE("each broken promise is noticed") {
  struct Row {
    std::vector<std::string_view> lines;
    std::string_view says;
  };
  const Row rows[] = {
      {{subscribed, fourth}, "after 2 came 4; what is between was not told"},
      {{subscribed, third, third}, "after 3 came 3 again"},
      {{subscribed, fourth, third}, "after 2 came 4"},
      {{subscribed, gap, gap}, "after 3 came 3 again"},
      {{subscribed, third, gap}, "after 3 came 3 again"},
      {{third}, "something came that was not subscribed to"},
      {{subscribed, "a<{'type':'unsubscription_confirmed','topics':['t']}", third}, "not subscribed to"},
      {{subscribed, third,
        "b<{'type':'subscription_confirmed','topics':[{'topic':'t','epoch':'e','offset':2,'recovered':false}]}",
        "b<{'type':'message','topic':'t','epoch':'e','offset':3,'payload':33}"},
       "at 3 others saw another message"},
      {{subscribed,
        "b<{'type':'subscription_confirmed','topics':[{'topic':'t','epoch':'e','offset':2,'recovered':false}]}", third},
       "3..3 never came and were not told"},
      {{subscribed, "a<{'type':'message','topic':'t','epoch':'f','offset':2,'payload':1}"},
       "a new epoch begins at 2, not at 1"},
      {{"b>{'type':'publish','id':'1','topic':'t','payload':3}", "b<{'type':'ack','id':'1','epoch':'e','offset':3}",
        subscribed, "a<{'type':'message','topic':'t','epoch':'e','offset':3,'payload':4}"},
       "at 3 others saw another message"},
  };
  for (const auto& row : rows) {
    auto judged = judge(row.lines);
    CHECK_MESSAGE(judged.first.find(row.says) != std::string::npos, row.says, " but ", judged.first);
  }
}

TEST_CASE("a recovery goes on where the client was, and a refused one where the server is") {
  constexpr std::string_view asks = "a>{'type':'subscribe','topics':['t'],'recover':{'t':{'epoch':'e','offset':2}}}";
  constexpr std::string_view yes =
      "a<{'type':'subscription_confirmed','topics':[{'topic':'t','epoch':'e','offset':4,'recovered':true}]}";
  constexpr std::string_view no =
      "a<{'type':'subscription_confirmed','topics':[{'topic':'t','epoch':'e','offset':4,'recovered':false}]}";
  CHECK_EQ(judge({subscribed, "a.", asks, yes, third, fourth}).first, "");
  CHECK(judge({subscribed, "a.", asks, yes, fourth}).first.contains("after 2 came 4"));
  CHECK(judge({subscribed, "a.", asks, yes, third}).first.contains("4..4 never came"));
  CHECK_EQ(judge({subscribed, "a.", asks, no}).first, "");
  CHECK(judge({subscribed, "a.", asks, no, fourth}).first.contains("after 4 came 4 again"));
  constexpr std::string_view resume = "a>{'type':'resume','positions':{'t':{'epoch':'e','offset':3}}}";
  constexpr std::string_view resumed =
      "a<{'type':'resumed','topics':[{'topic':'t','epoch':'e','offset':4,'recovered':true}]}";
  CHECK_EQ(judge({subscribed, third, "a.", resume, resumed, fourth}).first, "");
}

TEST_CASE("an acknowledgement stands for a message that its publisher did not want, however late it comes") {
  constexpr std::string_view publishes = "a>{'type':'publish','id':'1','topic':'t','payload':3,'exclude_self':true}";
  constexpr std::string_view acknowledged = "a<{'type':'ack','id':'1','epoch':'e','offset':3}";
  CHECK_EQ(judge({subscribed, publishes, acknowledged, fourth}).first, "");
  CHECK_EQ(judge({subscribed, publishes, fourth, acknowledged}).first, "");
  CHECK(judge({subscribed, publishes, "a<{'type':'error','id':'1','code':'overloaded'}", third}).first.empty());
  CHECK(judge({subscribed, publishes, third, acknowledged}).first.contains("3 came though it was left out"));
  constexpr std::string_view sixth = "a<{'type':'message','topic':'t','epoch':'e','offset':6,'payload':6}";
  CHECK(judge({subscribed, publishes, sixth, acknowledged}).first.contains("4..5 never came"));
}

// Of a pattern: a message of topic `t` or `u`, the third of its topic and the twelfth of its shard.
std::string by_pattern(std::string_view observer, std::string_view topic, int offset, int seq) {
  return fmt::format("{}<{{'type':'message','topic':'{}','epoch':'e','offset':{},'payload':{},'shard':'0','seq':{}}}",
                     observer, topic, offset, offset, seq);
}
std::string confirmed_pattern(std::string_view observer, int seq, std::string_view type = "subscription_confirmed",
                              std::string_view epoch = "s", std::string_view pattern = "*") {
  return fmt::format(
      "{}<{{'type':'{}','topics':[{{'topic':'{}','shards':{{'0':{{'epoch':'{}','seq':{}}}}},"
      "'recovered':false}}]}}",
      observer, type, pattern, epoch, seq);
}
/// What the observer asks for and gets when it comes back at `seq`: two lines.
std::string asks_pattern(std::string_view observer, int seq) {
  return fmt::format(
      "{}>{{'type':'subscribe','topics':['*'],'recover':{{'*':{{'shards':{{'0':{{'epoch':'s','seq':{}}}}}}}}}}}",
      observer, seq);
}
std::string recovered_pattern(std::string_view observer, int seq) {
  return fmt::format(
      "{}<{{'type':'subscription_confirmed','topics':[{{'topic':'*','shards':{{'0':{{'epoch':'s','seq':{}}}}},"
      "'recovered':true}}]}}",
      observer, seq);
}
constexpr std::string_view excludes = "a>{'type':'publish','id':'1','topic':'t','payload':3,'exclude_self':true}";
std::string ack(int offset) { return fmt::format("a<{{'type':'ack','id':'1','epoch':'e','offset':{}}}", offset); }

std::string judged(const std::vector<std::string>& lines, bool quiet = true) {
  return judge({lines.begin(), lines.end()}, quiet).first;
}

TEST_CASE("topics of a pattern begin above its place in the shard and go on without a hole") {
  const auto at = [](int seq) { return confirmed_pattern("a", seq); };
  CHECK_EQ(judged({at(9), by_pattern("a", "t", 3, 10), by_pattern("a", "t", 4, 11)}), "");
  CHECK(judged({at(9), by_pattern("a", "t", 3, 10), by_pattern("a", "t", 6, 13)}).contains("after 3 came 6"));
  CHECK(judged({at(9), by_pattern("a", "t", 3, 10), by_pattern("a", "u", 1, 10)})
            .contains("in shard 0 came 10 after 10"));
  CHECK(judged({confirmed_pattern("a", 9, "subscription_confirmed", "s", "news.*"), by_pattern("a", "t", 3, 10)})
            .contains("not subscribed"));
  CHECK(judged({at(9), "a<{'type':'unsubscription_confirmed','topics':['*']}", by_pattern("a", "t", 3, 10)})
            .contains("not subscribed"));
  CHECK(judged({at(9), by_pattern("a", "t", 3, 10), confirmed_pattern("b", 9), by_pattern("b", "t", 3, 11)})
            .contains("at 3 others saw 10"));
}

TEST_CASE("what a pattern must have brought is known by what others saw of the shard, before or after") {
  const auto a = confirmed_pattern("a", 9), b = confirmed_pattern("b", 9);
  const auto t3 = by_pattern("b", "t", 3, 10), t4 = by_pattern("b", "t", 4, 11);
  const auto late = by_pattern("a", "t", 4, 11);
  CHECK(judged({a, b, t3, t4, late}).contains("3..3 never came"));
  CHECK(judged({a, b, late, t3, t4}).contains("3..3 never came"));
  CHECK(judged({a, late, "a.", b, t3, t4}).contains("3..3 never came"));
  CHECK(judged({a, b, t3}).contains("3..3 never came"));  // nothing of the topic at all
  CHECK_EQ(judged({a, b, t3}, false), "");                // it may be under way
  CHECK_EQ(judged({confirmed_pattern("a", 10), b, t3, t4, late}), "");
  // The lower place of two patterns holds.
  CHECK(judged({a, confirmed_pattern("a", 10, "subscription_confirmed", "s", "t"), b, t3, t4, late})
            .contains("3..3 never came"));
}

TEST_CASE("a pattern that is recovered goes on in each topic where the client was, and may repeat") {
  const auto begun = std::vector<std::string>{confirmed_pattern("a", 9), by_pattern("a", "t", 3, 10), "a."};
  const auto again = [&](int from, std::vector<std::string> more) {
    auto lines = begun;
    lines.push_back(asks_pattern("a", from));
    lines.push_back(recovered_pattern("a", 20));
    lines.insert(lines.end(), more.begin(), more.end());
    return judged(lines);
  };
  const auto t3 = by_pattern("a", "t", 3, 10), t4 = by_pattern("a", "t", 4, 11), t5 = by_pattern("a", "t", 5, 12);
  CHECK_EQ(again(9, {t3, t4}), "");
  CHECK_EQ(again(10, {t4}), "");
  CHECK(again(10, {t5}).contains("after 3 came 5"));
  CHECK(again(10, {t4, t3}).contains("after 4 came 3 again"));
  CHECK(again(10, {"b<{'type':'subscription_confirmed','topics':[{'topic':'t','epoch':'e','offset':4,'recovered':"
                   "false}]}"})
            .contains("4..4 never came"));
  // A topic that it has never seen: what lies above its place comes, whoever shows that it does.
  const auto u2 = by_pattern("a", "u", 2, 13);
  CHECK_EQ(again(10, {t4, u2}), "");
  CHECK(again(10, {t4, u2, confirmed_pattern("b", 11), by_pattern("b", "u", 1, 12), by_pattern("b", "u", 2, 13)})
            .contains("1..1 never came"));
  // A connection that ended before it was confirmed changes nothing.
  auto twice = begun;
  twice.insert(twice.end(), {asks_pattern("a", 10), "a.", asks_pattern("a", 10), recovered_pattern("a", 20), t5});
  CHECK(judged(twice).contains("after 3 came 5"));
  // Not recovered, it begins anew.
  auto anew = begun;
  anew.insert(anew.end(), {confirmed_pattern("a", 11), t5});
  CHECK_EQ(judged(anew), "");
}

TEST_CASE("a publication that a pattern's observer did not want may be the first of its topic") {
  const auto a = confirmed_pattern("a", 9), b = confirmed_pattern("b", 9);
  const auto t4 = by_pattern("a", "t", 4, 11), t5 = by_pattern("a", "t", 5, 12);
  const std::string said{excludes};
  CHECK_EQ(judged({a, said, ack(3), t4}), "");
  CHECK_EQ(judged({a, said, t4, ack(3), t5}), "");
  CHECK_EQ(judged({a, b, said, by_pattern("b", "t", 3, 10), t4, by_pattern("b", "t", 4, 11), ack(3)}, false), "");
  CHECK(judged({a, b, said, by_pattern("b", "t", 2, 10), by_pattern("b", "t", 3, 11), by_pattern("a", "t", 4, 12),
                by_pattern("b", "t", 4, 12), ack(3)})
            .contains("2..2 never came"));
  CHECK(judged({a, said, ack(3), t5}).contains("after 3 came 5"));
}

TEST_CASE("where a pattern has restarted, only what lies before its new place may be lost") {
  const auto a = confirmed_pattern("a", 9), t3 = by_pattern("a", "t", 3, 10);
  const auto anew = [](int offset, int seq) {
    return fmt::format(
        "a<{{'type':'message','topic':'t','epoch':'f','offset':{0},'payload':{0},'shard':'0','seq':{1}}}", offset, seq);
  };
  const auto other = [&](int offset, int seq) { return "b" + anew(offset, seq).substr(1); };
  const auto restarted = confirmed_pattern("a", 4, "restarted", "z");
  CHECK_EQ(judged({a, t3, restarted, anew(1, 5)}), "");
  CHECK_EQ(judged({a, t3, restarted, anew(3, 5)}), "");
  CHECK(judged({a, t3, anew(3, 5)}).contains("a new epoch begins at 3"));
  const auto b = confirmed_pattern("b", 3, "subscription_confirmed", "z");
  CHECK_EQ(judged({a, t3, restarted, b, other(2, 4), other(3, 5), anew(3, 5)}), "");
  CHECK(judged({a, t3, confirmed_pattern("a", 3, "restarted", "z"), b, other(2, 4), other(3, 5), anew(3, 5)})
            .contains("2..2 never came"));
  CHECK(judged({a, t3, restarted, b, other(1, 5)}).contains("1..1 never came"));
  // In the same epoch it goes on where it is, or behind its new place.
  CHECK_EQ(judged({a, t3, confirmed_pattern("a", 10, "restarted"), by_pattern("a", "t", 4, 11)}), "");
  const auto behind = confirmed_pattern("a", 11, "restarted"), t5 = by_pattern("a", "t", 5, 12);
  CHECK_EQ(judged({a, t3, behind, t5}), "");
  CHECK_EQ(judged({a, t3, behind, "a.", asks_pattern("a", 11), recovered_pattern("a", 20), t5}), "");
}

constexpr std::string_view unsubscribed_pattern = "a<{'type':'unsubscription_confirmed','topics':['*']}";

TEST_CASE("a number in a shard counts only while a pattern is there, in whose epoch it is") {
  const std::vector<std::string> lines{std::string{subscribed}, confirmed_pattern("a", 9), by_pattern("a", "t", 3, 10)};
  auto after = lines;
  after.insert(after.end(), {std::string{unsubscribed_pattern}, by_pattern("a", "t", 4, 4)});
  CHECK_EQ(judged(after), "");
  auto while_there = lines;
  while_there.push_back(by_pattern("a", "t", 4, 4));
  CHECK(judged(while_there).contains("in shard 0 came 4 after 10"));
}

TEST_CASE("a pattern that was unsubscribed goes on where it asks to, wherever it had begun before") {
  const std::vector<std::string> ended{confirmed_pattern("a", 9),
                                       by_pattern("a", "t", 3, 10),
                                       "a.",
                                       asks_pattern("a", 10),
                                       recovered_pattern("a", 11),
                                       by_pattern("a", "t", 4, 11),
                                       std::string{unsubscribed_pattern},
                                       "a."};
  const auto again = [&](int from) {
    auto lines = ended;
    lines.insert(lines.end(), {asks_pattern("a", from), recovered_pattern("a", 13), by_pattern("a", "u", 2, 13),
                               confirmed_pattern("b", 11), by_pattern("b", "u", 1, 12), by_pattern("b", "u", 2, 13)});
    return judged(lines);
  };
  CHECK_EQ(again(12), "");
  CHECK(again(11).contains("1..1 never came"));
}

TEST_CASE("what a pattern brings again of a name beside it is no double, in whichever order they are confirmed") {
  const std::string_view name = "{'topic':'t','epoch':'e','offset':3,'recovered':true}";
  const std::string_view pattern = "{'topic':'*','shards':{'0':{'epoch':'s','seq':10}},'recovered':true}";
  for (const auto& [first, second] : {std::pair{name, pattern}, {pattern, name}}) {
    CHECK_EQ(
        judged({confirmed_pattern("a", 9), std::string{subscribed}, by_pattern("a", "t", 3, 10), "a.",
                "a>{'type':'resume','positions':{'t':{'epoch':'e','offset':3},"
                "'*':{'shards':{'0':{'epoch':'s','seq':9}}}}}",
                fmt::format("a<{{'type':'resumed','topics':[{},{}]}}", first, second), by_pattern("a", "t", 3, 10)}),
        "");
  }
}

TEST_CASE("a topic that outlives the numbering of its shard is judged by the new numbers alone") {
  const auto anew = [](std::string_view observer) {
    return confirmed_pattern(observer, 0, "subscription_confirmed", "z");
  };
  const std::vector<std::string> before{confirmed_pattern("a", 9), by_pattern("a", "t", 3, 10), "a."};
  const auto after = [&](std::vector<std::string> more) {
    auto lines = before;
    lines.insert(lines.end(), more.begin(), more.end());
    return judged(lines);
  };
  CHECK_EQ(after({anew("a"), by_pattern("a", "t", 4, 1)}), "");
  CHECK_EQ(after({anew("a"), by_pattern("a", "t", 7, 1)}), "");  // published while the server was not there
  CHECK_EQ(after({anew("a"), anew("b"), by_pattern("b", "t", 4, 1), by_pattern("a", "t", 4, 1)}), "");
  CHECK(after({anew("a"), anew("b"), by_pattern("b", "t", 4, 1), by_pattern("a", "t", 5, 2)}).contains("4..4 never"));
  // What somebody says late, who is not there again yet, counts in the old numbers.
  CHECK_EQ(judged({confirmed_pattern("b", 9), before[0], before[1], before[2], anew("a"), by_pattern("b", "t", 3, 10),
                   by_pattern("a", "t", 4, 1)},
                  false),
           "");
}

/// A sound history of two topics in one shard, as three observers see it; `a` loses its connection and recovers.
std::vector<std::string> sound_history() {
  std::vector<std::string> lines{confirmed_pattern("a", 0), confirmed_pattern("b", 0),
                                 "c<{'type':'subscription_confirmed','topics':[{'topic':'t','epoch':'e','offset':0,"
                                 "'recovered':false}]}"};
  int offsets[] = {0, 0};
  std::vector<std::string> missed;
  int lost_at = 0;
  for (int seq = 1; seq <= 24; ++seq) {
    const bool is_t = seq % 3 != 0;
    const int offset = ++offsets[is_t ? 0 : 1];
    const std::string_view topic = is_t ? "t" : "u";
    lines.push_back(by_pattern("b", topic, offset, seq));
    if (is_t) {
      lines.push_back(fmt::format("c<{{'type':'message','topic':'t','epoch':'e','offset':{0},'payload':{0}}}", offset));
    }
    const bool is_away = seq % 8 > 4;
    auto mine = by_pattern("a", topic, offset, seq);
    if (is_away && missed.empty()) {
      lines.push_back("a.");
      lost_at = seq - 1;
    }
    if (is_away) {
      missed.push_back(std::move(mine));
      continue;
    }
    if (!missed.empty()) {
      lines.push_back(asks_pattern("a", lost_at));
      lines.push_back(recovered_pattern("a", seq - 1));
      lines.insert(lines.end(), missed.begin(), missed.end());
      missed.clear();
    }
    lines.push_back(std::move(mine));
  }
  return lines;
}

TEST_CASE("whatever message is taken out of a sound history, doubled, changed or moved, it is refused") {
  const auto sound = sound_history();
  REQUIRE_EQ(judged(sound), "");
  int changed = 0;
  for (std::size_t i = 0; i < sound.size(); ++i) {
    if (!sound[i].contains("'message'")) continue;
    CAPTURE(sound[i]);
    ++changed;
    auto taken = sound;
    taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK_NE(judged(taken), "");
    auto doubled = sound;
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), sound[i]);
    CHECK_NE(judged(doubled), "");
    auto other = sound;
    other[i].replace(other[i].find("'payload':"), 10, "'payload':7");
    CHECK_NE(judged(other), "");
    for (std::size_t next = i + 1; next < sound.size(); ++next) {
      if (sound[next][0] != sound[i][0]) continue;
      auto moved = sound;
      std::swap(moved[i], moved[next]);
      CHECK_NE(judged(moved), "");
      break;
    }
  }
  CHECK_EQ(changed, 24 * 2 + 16);
}

TEST_CASE("what was on its way when the connection ended is nobody's fault") {
  CHECK_EQ(judge({subscribed, "b>{'type':'publish','id':'1','topic':'t','payload':3}",
                  "b<{'type':'ack','id':'1','epoch':'e','offset':3}", "a."})
               .first,
           "");
  CHECK(judge({subscribed, "b>{'type':'publish','id':'1','topic':'t','payload':3}",
               "b<{'type':'ack','id':'1','epoch':'e','offset':3}"})
            .first.contains("3..3 never came"));
  CHECK_EQ(judge({subscribed, "b>{'type':'publish','id':'1','topic':'t','payload':3}",
                  "b<{'type':'ack','id':'1','epoch':'e','offset':3}"},
                 false)
               .first,
           "");
}

TEST_CASE("a line that is no recording is refused with its reason") {
  HistoryChecker checker;
  HistoryRecording recording{checker};
  CHECK_EQ(recording.line("nonsense").error(), "not JSON: malformed");
  CHECK_EQ(recording.line(R"({"sent":{}})").error(), "there is no `observer`");
  CHECK_EQ(recording.line(R"({"observer":"a"})").error(), "there is neither `sent` nor `received` nor `closed`");
}

}  // namespace
}  // namespace troupe::realtime
