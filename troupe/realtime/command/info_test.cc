// welcome, info, ping, and what the service knows of itself.
#include "troupe/realtime/command/info.h"

#include <doctest/doctest.h>

#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using testing::ask_http;
using testing::field;
using testing::RealtimeWorld;
using testing::types;

TEST_CASE("a client is welcomed with its ids and limits") {
  RealtimeWorld world;
  auto socket = world.ask_for("/ws", "Authorization: Bearer alice\r\n");
  CHECK_EQ(socket->status(), 101);
  auto frames = socket->take();
  REQUIRE_EQ(types(frames), "welcome");
  CHECK_EQ(field(frames[0], "user"), "alice");
  CHECK_EQ(field(frames[0], "heartbeat_interval_ms"), "25000");
  CHECK_EQ(field(frames[0], "frame_bytes"), "1048576");
  CHECK_EQ(field(frames[0], "connection_id").size(), 15);
}

TEST_CASE("info and ping answer for the connection itself") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  world.exchange(alice, R"({"type":"subscribe","topics":["a","b"]})");
  auto info = world.exchange(alice, R"({"type":"info","id":"i"})");
  REQUIRE_EQ(types(info), "info");
  CHECK_EQ(field(info[0], "subscriptions"), "2");
  CHECK_EQ(field(info[0], "user"), "alice");
  CHECK_EQ(world.exchange(alice, R"({"type":"ping","id":"p","timestamp":12.5})")[0],
           R"({"type":"pong","id":"p","timestamp":12.5})");
}

TEST_CASE("how many subscriptions a client has counts those that wait for a resume, as the limit does") {
  RealtimeOptions options;
  options.connection.subscriptions_max = 3;
  RealtimeWorld world{options};
  constexpr std::string_view token = "Authorization: Bearer alice,topic:>:subscribe\r\n";
  auto first = world.ask_for("/ws", token);
  const auto session = field(first->take().at(0), "session");
  world.exchange(first, R"({"type":"subscribe","topics":["a","b"]})");
  first->vanish();
  world.world.run_until_idle();

  auto again = world.ask_for("/ws?session=" + session, token, 1);
  REQUIRE_EQ(field(again->take().at(0), "resumed"), "true");
  struct Row {
    std::string_view frame, figure, value;
  };
  const Row rows[] = {
      {R"({"type":"info"})", "subscriptions", "2"},
      {R"({"type":"subscribe","topics":["c"]})", "active_subscriptions", "3"},
      {R"({"type":"subscribe","topics":["a"]})", "active_subscriptions", "3"},  // which waits no more
      {R"({"type":"subscribe","topics":["d"]})", "code", "too_large"},
      {R"({"type":"unsubscribe","topics":["b"]})", "active_subscriptions", "2"},
      {R"({"type":"subscribe","topics":["d"]})", "active_subscriptions", "3"},
      {R"({"type":"resume","positions":{}})", "type", "resumed"},
      {R"({"type":"info"})", "subscriptions", "3"},
      {R"({"type":"unsubscribe","topics":["a","b","c"]})", "active_subscriptions", "1"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.frame);
    const auto frames = world.exchange(again, row.frame);
    REQUIRE_EQ(frames.size(), 1);
    CHECK_EQ(field(frames[0], row.figure), row.value);
  }
}

TEST_CASE("an operator who lists connections sees the subscriptions that wait for a resume, too") {
  RealtimeWorld world;
  constexpr std::string_view token = "Authorization: Bearer alice,topic:>:subscribe\r\n";
  auto first = world.ask_for("/ws", token);
  const auto session = field(first->take().at(0), "session");
  world.exchange(first, R"({"type":"subscribe","topics":["a","b"]})");
  first->vanish();
  world.world.run_until_idle();
  auto again = world.ask_for("/ws?session=" + session, token);
  const auto list = ask_http(world, "GET", "/api/v1/connections", "admin,realtime:admin").body;
  CHECK_EQ(field(list, "subscriptions"), "2");
}

TEST_CASE("what all cores have done is collected") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  world.exchange(bob, R"({"type":"subscribe","topics":["t"]})");
  world.exchange(alice, R"({"type":"publish","topic":"t","payload":1})");
  auto samples = world.world.block_on(world.realtime->metrics().ask(CollectMetrics{}));
  REQUIRE(samples.has_value());
  double connections = 0, delivered = 0;
  for (const auto& sample : samples->all()) {
    if (sample.name == "troupe_realtime_connections") connections = sample.value;
    if (sample.name == "troupe_realtime_delivered_total") delivered = sample.value;
  }
  CHECK_EQ(connections, 2);
  CHECK_EQ(delivered, 1);
}

}  // namespace
}  // namespace troupe::realtime
