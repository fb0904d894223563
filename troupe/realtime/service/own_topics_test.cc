// The server's own topics: who may hear of them, who may speak there, and in which order they tell.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "troupe/realtime/service/system_supervisor.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using testing::field;
using testing::RealtimeWorld;
using testing::types;

void publish(RealtimeWorld& world, std::string_view topic, std::string json) {
  auto ack = world.world.block_on(
      world.realtime->supervisor().ask(PublishOwn{TopicName::parse(topic).value(), std::move(json)}));
  REQUIRE(ack.has_value());
}

TEST_CASE("a topic of the server's own is heard by whom a scope allows it by name, and nobody else speaks there") {
  RealtimeWorld world;
  const auto code = [&](auto& socket, std::string_view json) {
    auto frames = world.exchange(socket, json);
    return field(frames[0], "type") == "error" ? field(frames[0], "code") : field(frames[0], "type");
  };
  auto auditor = world.connect_token("bob,topic:system.oauth.>:subscribe,topic:system.oauth.>:publish");
  auto everywhere = world.connect_token("eve,topic:>:subscribe,topic:>:publish");
  CHECK_EQ(code(auditor, R"({"type":"subscribe","id":"1","topics":["system.oauth.>"]})"), "subscription_confirmed");
  CHECK_EQ(code(auditor, R"({"type":"subscribe","id":"1","topics":["system.>"]})"), "forbidden");
  CHECK_EQ(code(auditor, R"({"type":"publish","id":"1","topic":"system.oauth.x","payload":1})"), "forbidden");
  CHECK_EQ(code(auditor, R"({"type":"subscribe","id":"1","topics":["system.oauth.x"],"presence":true})"), "forbidden");
  CHECK_EQ(code(auditor, R"({"type":"history","id":"1","topic":"system.oauth.x","limit":1})"), "forbidden");
  CHECK_EQ(code(everywhere, R"({"type":"subscribe","id":"1","topics":["system.oauth.code_made"]})"), "forbidden");
  CHECK_EQ(code(everywhere, R"({"type":"subscribe","id":"1","topics":[">"]})"), "subscription_confirmed");
  CHECK_EQ(code(everywhere, R"({"type":"publish","id":"1","topic":"system.oauth.x","payload":1})"), "forbidden");

  publish(world, "system.oauth.code_made", "7");
  world.world.run_until_idle();
  auto heard = auditor->take();
  REQUIRE_EQ(types(heard), "message");
  CHECK_EQ(field(heard[0], "topic"), "system.oauth.code_made");
  CHECK_EQ(field(heard[0], "payload"), "7");
  CHECK(everywhere->take().empty());
}

TEST_CASE("what the server tells one after the other is heard in that order on every core, whatever the topics") {
  RealtimeWorld world;
  auto first = world.connect_token("bob,topic:system.oauth.>:subscribe", 0);
  auto second = world.connect_token("bob,topic:system.oauth.>:subscribe", 1);
  for (auto* socket : {&first, &second}) world.exchange(*socket, R"({"type":"subscribe","topics":["system.oauth.>"]})");
  constexpr int count = 50;
  for (int i = 0; i < count; ++i) publish(world, fmt::format("system.oauth.kind_{}", i % 7), std::to_string(i));
  world.world.run_until_idle();
  for (auto* socket : {&first, &second}) {
    auto heard = (*socket)->take();
    REQUIRE_EQ(heard.size(), count);
    for (int i = 0; i < count; ++i) CHECK_EQ(field(heard[static_cast<std::size_t>(i)], "payload"), std::to_string(i));
  }
}

}  // namespace
}  // namespace troupe::realtime
