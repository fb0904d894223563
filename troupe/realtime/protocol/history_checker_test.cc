// HistoryChecker and HistoryRecording: what is in order passes, and each way of breaking a promise is noticed.
#include "troupe/realtime/protocol/history_checker.h"

#include <doctest/doctest.h>

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

TEST_CASE("topics of a pattern begin anywhere and go on without a hole") {
  constexpr std::string_view pattern =
      "a<{'type':'subscription_confirmed','topics':[{'topic':'*','shards':{'0':{'epoch':'s','seq':9}},'recovered':"
      "false}]}";
  CHECK_EQ(judge({pattern, third, fourth}).first, "");
  constexpr std::string_view sixth = "a<{'type':'message','topic':'t','epoch':'e','offset':6,'payload':6}";
  CHECK(judge({pattern, third, sixth}).first.contains("after 3 came 6"));
}

TEST_CASE("a pattern that is recovered goes on in each topic where the client was, and may repeat") {
  constexpr std::string_view pattern =
      "a<{'type':'subscription_confirmed','topics':[{'topic':'*','shards':{'0':{'epoch':'s','seq':9}},'recovered':"
      "false}]}";
  constexpr std::string_view again =
      "a<{'type':'subscription_confirmed','topics':[{'topic':'*','shards':{'0':{'epoch':'s','seq':9}},'recovered':"
      "true}]}";
  CHECK_EQ(judge({pattern, third, "a.", again, third, fourth}).first, "");
  CHECK_EQ(judge({pattern, third, "a.", again, fourth}).first, "");
  constexpr std::string_view fifth = "a<{'type':'message','topic':'t','epoch':'e','offset':5,'payload':5}";
  CHECK(judge({pattern, third, "a.", again, fifth}).first.contains("after 3 came 5"));
  CHECK(judge({pattern, third, "a.", again, fourth, third}).first.contains("after 4 came 3 again"));
  CHECK(judge({pattern, third, "a.", again,
               "b<{'type':'subscription_confirmed','topics':[{'topic':'t','epoch':'e','offset':4,'recovered':false}]}"})
            .first.contains("4..4 never came"));
  CHECK_EQ(judge({pattern, third, "a.", pattern, fifth}).first, "");  // not recovered: it begins anew
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
