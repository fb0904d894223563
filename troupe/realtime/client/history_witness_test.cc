// HistoryWitness and HistoryRecording say the same of the same traffic.
#include "troupe/realtime/client/history_witness.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "troupe/realtime/client/traffic_recorder.h"
#include "troupe/realtime/protocol/history_recording.h"

namespace troupe::realtime {
namespace {

/// Lines in short: a sign and a frame with ' for ".
using Lines = std::vector<std::string_view>;

void show(TrafficObserver& observer, const Lines& lines) {
  ServerFrameReader reader;
  for (auto line : lines) {
    std::string text{line.substr(1)};
    std::ranges::replace(text, '\'', '"');
    if (line.front() == '>') observer.sent(wire::Opcode::text, text);
    if (line.front() == '.') observer.closed();
    if (line.front() != '<') continue;
    const auto frame = reader.read(wire::Opcode::text, text);
    REQUIRE(frame.has_value());
    observer.received(wire::Opcode::text, text, *frame);
  }
}

HistoryChecker witnessed(const Lines& lines) {
  HistoryChecker checker;
  HistoryWitness witness{checker, "a"};
  show(witness, lines);
  checker.finish(true);
  return checker;
}

HistoryChecker recorded(const Lines& lines) {
  HistoryChecker checker;
  HistoryRecording recording{checker};
  TrafficRecorder recorder{"a", [&](std::string_view line) { CHECK(recording.line(line).has_value()); }};
  show(recorder, lines);
  checker.finish(true);
  return checker;
}

constexpr std::string_view confirmed =
    "<{'type':'subscription_confirmed','topics':[{'topic':'t','epoch':'e','offset':2,'recovered':false},"
    "{'topic':'p.*','shards':{},'recovered':false}]}";
constexpr std::string_view third = "<{'type':'message','topic':'t','epoch':'e','offset':3,'payload':3}";
constexpr std::string_view resume = ">{'type':'resume','positions':{'t':{'epoch':'e','offset':3}}}";
constexpr std::string_view resumed =
    "<{'type':'resumed','topics':[{'topic':'t','epoch':'e','offset':5,'recovered':true}]}";

constexpr std::string_view of_pattern =
    "<{'type':'subscription_confirmed','topics':[{'topic':'p.*','shards':{'0':{'epoch':'h','seq':6}},'recovered':"
    "false}]}";
constexpr std::string_view by_pattern =
    "<{'type':'message','topic':'p.x','epoch':'q','offset':9,'payload':1,'shard':'0','seq':7}";
constexpr std::string_view resume_pattern =
    ">{'type':'resume','positions':{'p.*':{'shards':{'0':{'epoch':'h','seq':6}}}}}";
constexpr std::string_view resumed_pattern =
    "<{'type':'resumed','topics':[{'topic':'p.*','shards':{'0':{'epoch':'h','seq':8}},'recovered':true}]}";

TEST_CASE("what is witnessed and what is recorded are judged alike") {
  const Lines rows[] = {
      {confirmed, third},
      {confirmed, third, third},
      {confirmed, "<{'type':'gap','topic':'t','epoch':'e','from':3,'to':4,'reason':'latest'}"},
      {confirmed, third, ".", resume, resumed, "<{'type':'message','topic':'t','epoch':'e','offset':4,'payload':4}",
       "<{'type':'message','topic':'t','epoch':'e','offset':5,'payload':5}"},
      {confirmed, third, ".", resume, resumed, "<{'type':'message','topic':'t','epoch':'e','offset':5,'payload':5}"},
      {confirmed, "<{'type':'unsubscribed','topics':['t'],'reason':'forbidden'}", third},
      {confirmed, "<{'type':'message','topic':'p.x','epoch':'q','offset':9,'payload':1}",
       "<{'type':'message','topic':'p.x','epoch':'q','offset':11,'payload':1}"},
      {of_pattern, by_pattern, ".", resume_pattern, resumed_pattern, by_pattern},
      {of_pattern, by_pattern, ".", resume_pattern, resumed_pattern,
       "<{'type':'message','topic':'p.x','epoch':'q','offset':11,'payload':1,'shard':'0','seq':9}"},
      {of_pattern, by_pattern, "<{'type':'restarted','topics':[{'topic':'p.*','shards':{'0':{'epoch':'k','seq':0}}}]}",
       "<{'type':'message','topic':'p.x','epoch':'r','offset':3,'payload':1,'shard':'0','seq':2}"},
      {confirmed, "<{'type':'restarted','topics':[{'topic':'t','epoch':'f','offset':7,'recovered':false}]}",
       "<{'type':'message','topic':'t','epoch':'f','offset':8,'payload':1}"},
      {confirmed, ">{'type':'publish','id':'1','topic':'t','payload':3,'exclude_self':true}",
       "<{'type':'message','topic':'t','epoch':'e','offset':4,'payload':4}",
       "<{'type':'ack','id':'1','epoch':'e','offset':3}"},
      {confirmed, ">{'type':'publish','id':'1','topic':'t','payload':4}", third,
       "<{'type':'ack','id':'1','epoch':'e','offset':3}"},
      {confirmed, ">{'type':'publish','id':'1','topic':'t','payload':3}", "<{'type':'error','id':'1','code':'x'}",
       third},
  };
  for (const auto& lines : rows) {
    CAPTURE(lines.back());
    const auto one = witnessed(lines), other = recorded(lines);
    CHECK_EQ(one.figures().deliveries, other.figures().deliveries);
    CHECK_EQ(one.figures().missed, other.figures().missed);
    CHECK_EQ(one.figures().recoveries, other.figures().recoveries);
    CHECK_EQ(one.figures().acknowledged, other.figures().acknowledged);
    REQUIRE_EQ(one.violations().size(), other.violations().size());
    for (std::size_t i = 0; i < one.violations().size(); ++i)
      CHECK_EQ(one.violations()[i].what, other.violations()[i].what);
  }
}

}  // namespace
}  // namespace troupe::realtime
