// `/events` over a fault in the routing tables: wherever the stream is cut behind `restarted`, its last id goes on from
// what had been read, and nothing is lost without a word.
#include <doctest/doctest.h>

#include <algorithm>

#include "troupe/realtime/testing/mine.h"
#include "troupe/realtime/testing/test_events.h"
#include "troupe/wire/json.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::ask_for_events;
using testing::Event;
using testing::field;
using testing::lay;
using testing::RealtimeWorld;
using testing::router_of;
using testing::token_of_user;
using testing::topic_at;
using testing::types;

/// Of topics that begin with "a" or "z" a few messages are kept, of all others as many as there are here.
RealtimeOptions keeping_little() {
  NamespaceOptions little;
  little.history.count_max = 2;
  RealtimeOptions options;
  options.settings = std::make_shared<const RealtimeSettings>(
      NamespaceOptions{}, RealtimeSettings::Namespaces{{"a", little}, {"z", little}});
  return options;
}

std::string payloads_in(const std::vector<Event>& events, std::string_view topic_begin) {
  std::string payloads;
  for (const auto& event : events) {
    if (event.type == "message" && field(event.data, "topic").starts_with(topic_begin))
      payloads += field(event.data, "payload") + " ";
  }
  return payloads;
}

/// Whether a confirmation says that this pattern is recovered.
bool is_recovered(const Event& confirmation, std::string_view pattern) {
  const auto json = wire::parse_json(confirmation.data);
  for (const auto& entry : *json->find("topics")->array()) {
    if (*entry.string_at("topic") == pattern) return *entry.find("recovered")->boolean();
  }
  FAIL("the pattern is not confirmed");
  return false;
}

TEST_CASE("a stream of two patterns goes on from any event behind `restarted`, whichever of them has lost something") {
  for (const std::string_view lost : {"a", "z"}) {
    CAPTURE(lost);
    RealtimeWorld world{keeping_little()};
    auto alice = world.connect("alice", 0);
    const auto token = token_of_user("bob");
    const auto query = fmt::format("topic={}.*&topic=m.*", lost);
    auto events = ask_for_events(world, query, token, {}, 1);
    auto mine = lay(router_of(world, 1), "mine", world);
    alice->say(R"({"type":"publish","topic":"mine","payload":0})");
    const auto kept_topic = topic_at(0, "m."), lost_topic = topic_at(0, fmt::format("{}.", lost));
    for (int i = 1; i <= 6; ++i) {
      for (const auto& topic : {kept_topic, lost_topic})
        alice->say(fmt::format(R"({{"type":"publish","topic":"{}","payload":{}}})", topic, i));
    }
    world.world.advance(1s);
    CHECK(mine->lost);
    const auto told = events->take();
    const auto restarted = std::ranges::find_if(
        told, [](const Event& event) { return event.type == "restarted" && event.data.contains("m.*"); });
    REQUIRE_NE(restarted, told.end());
    CHECK_EQ(payloads_in({restarted, told.end()}, "m."), "1 2 3 4 5 6 ");
    for (auto last = restarted; last != told.end(); ++last) {
      CAPTURE(last - restarted);
      const auto again = ask_for_events(world, query, token, fmt::format("Last-Event-ID: {}\r\n", last->id), 1)->take();
      REQUIRE_GE(again.size(), 2);
      CHECK(is_recovered(again[1], "m.*"));
      CHECK_EQ(payloads_in({restarted, std::next(last)}, "m.") + payloads_in(again, "m."), "1 2 3 4 5 6 ");
    }
  }
}

}  // namespace
}  // namespace troupe::realtime
