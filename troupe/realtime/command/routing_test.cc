// Routing rules in the running service: refused, sent elsewhere, shown only to those with a scope, hastened.
#include <doctest/doctest.h>

#include <algorithm>

#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using testing::field;
using testing::RealtimeWorld;
using testing::token_of_user;
using testing::types;

TopicPattern pattern(std::string_view text) { return TopicPattern::parse(text).value(); }

RealtimeOptions with_rules(std::vector<RoutingRule> rules) {
  RealtimeOptions options;
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{}, RealtimeSettings::Namespaces{},
                                                              Anonymous::refused, std::move(rules));
  return options;
}

TEST_CASE("a rule refuses what its sender lacks the scope for, and says so") {
  RealtimeWorld world{with_rules({{.topic = pattern("news"), .sender_scope = "editor", .priority = Priority::high},
                                  {.topic = pattern("news"), .refuse = true}})};
  auto reader = world.connect("reader");
  auto editor = world.connect_token(token_of_user("editor") + ",editor");
  auto refused = world.exchange(reader, R"({"type":"publish","id":"1","topic":"news","payload":1})");
  REQUIRE_EQ(types(refused), "error");
  CHECK_EQ(field(refused[0], "code"), "forbidden");
  CHECK_EQ(field(refused[0], "message"), "a rule refuses this for `news`");
  CHECK_EQ(types(world.exchange(editor, R"({"type":"publish","id":"1","topic":"news","payload":1})")), "ack");
}

TEST_CASE("a publication that is sent elsewhere is acknowledged with its topic there") {
  RealtimeWorld world{with_rules({{.topic = pattern("chat.*"), .redirect = TopicName::parse("moderation").value()}})};
  auto alice = world.connect("alice", 0);
  auto moderator = world.connect("moderator", 1);
  world.exchange(alice, R"({"type":"subscribe","topics":["chat.a"]})");
  world.exchange(moderator, R"({"type":"subscribe","topics":["moderation"]})");
  auto ack = world.exchange(alice, R"({"type":"publish","id":"1","topic":"chat.a","payload":1})");
  REQUIRE_EQ(types(ack), "ack");
  CHECK_EQ(field(ack[0], "topic"), "moderation");
  CHECK_EQ(field(ack[0], "delivered_to"), "1");
  CHECK_EQ(types(moderator->take()), "message");
}

TEST_CASE("a publication that is sent elsewhere must be as small as it has to be there") {
  RealtimeOptions options;
  options.settings = std::make_shared<const RealtimeSettings>(
      NamespaceOptions{}, RealtimeSettings::Namespaces{{"moderation", {.payload_bytes_max = 10}}}, Anonymous::refused,
      std::vector<RoutingRule>{{.topic = pattern("chat.*"), .redirect = TopicName::parse("moderation").value()}});
  RealtimeWorld world{options};
  auto alice = world.connect("alice");
  CHECK_EQ(types(world.exchange(alice, R"({"type":"publish","id":"1","topic":"chat.a","payload":"12345678"})")), "ack");
  auto refused = world.exchange(alice, R"({"type":"publish","id":"1","topic":"chat.a","payload":"123456789"})");
  REQUIRE_EQ(types(refused), "error");
  CHECK_EQ(field(refused[0], "code"), "too_large");
  CHECK_EQ(field(refused[0], "message"), "a payload for `moderation`, where a rule sends it, has at most 10 bytes");
}

TEST_CASE("a message for those with a scope is a gap for others, live, recovered and in history") {
  RealtimeWorld world{with_rules(
      {{.topic = pattern("alerts.>"), .sender_scope = "ops", .target = std::make_shared<std::string>("alerts:read")}})};
  auto ops = world.connect_token(token_of_user("ops") + ",ops", 0);
  auto member = world.connect_token(token_of_user("member") + ",alerts:read", 1);
  auto guest = world.connect("guest", 1);
  world.exchange(member, R"({"type":"subscribe","topics":["alerts.fire"]})");
  auto confirmed = world.exchange(guest, R"({"type":"subscribe","topics":["alerts.fire"]})");
  auto epoch = field(confirmed[0], "epoch");
  auto ack = world.exchange(ops, R"({"type":"publish","id":"1","topic":"alerts.fire","payload":"run"})");
  CHECK_EQ(field(ack[0], "delivered_to"), "1");
  CHECK_EQ(types(member->take()), "message");
  auto seen = guest->take();
  REQUIRE_EQ(types(seen), "gap");
  CHECK_EQ(field(seen[0], "reason"), "filtered");
  CHECK_EQ(field(seen[0], "from") + field(seen[0], "to"), "11");

  world.exchange(member, R"({"type":"publish","topic":"alerts.fire","payload":"for all"})");
  auto recover = fmt::format(
      R"({{"type":"subscribe","topics":["alerts.fire"],"recover":{{"alerts.fire":{{"epoch":"{}","offset":0}}}}}})",
      epoch);
  auto late = world.connect("late", 0);
  auto recovered = world.exchange(late, recover);
  REQUIRE_EQ(types(recovered), "subscription_confirmed gap message");
  CHECK_EQ(field(recovered[1], "reason"), "filtered");
  CHECK_EQ(types(world.exchange(late, R"({"type":"history","id":"h","topic":"alerts.fire","limit":9})")),
           "history_item history_end");
  auto second = world.connect_token(token_of_user("second") + ",alerts:read", 0);
  CHECK_EQ(types(world.exchange(second, recover)), "subscription_confirmed message message");
}

TEST_CASE("an idempotency key belongs to the topic that the client names, wherever it is sent") {
  RealtimeWorld world{with_rules({{.topic = pattern("chat.*"), .redirect = TopicName::parse("moderation").value()}})};
  auto alice = world.connect("alice");
  auto publish = [&](std::string_view topic) {
    auto frames = world.exchange(
        alice, fmt::format(R"({{"type":"publish","id":"1","topic":"{}","payload":1,"idempotency_key":"k"}})", topic));
    return field(frames[0], "offset");
  };
  CHECK_EQ(publish("chat.a"), "1");
  CHECK_EQ(publish("chat.b"), "2");
  CHECK_EQ(publish("chat.a"), "1");
}

TEST_CASE("however many messages are for others, whoever recovers is told them all and stays") {
  RealtimeWorld world{with_rules(
      {{.topic = pattern("t.*"), .larger_than = 10, .target = std::make_shared<std::string>("large:read")}})};
  auto writer = world.connect("writer");
  std::string positions;
  for (std::string_view topic : {"t.a", "t.b", "t.c"}) {
    std::string epoch;
    for (int i = 0; i < 200; ++i) {
      auto payload = i % 2 == 0 ? "1" : "\"more than ten bytes\"";
      auto ack = world.exchange(
          writer, fmt::format(R"({{"type":"publish","id":"1","topic":"{}","payload":{}}})", topic, payload));
      epoch = field(ack[0], "epoch");
    }
    positions += fmt::format(R"({}"{}":{{"epoch":"{}","offset":0}})", positions.empty() ? "" : ",", topic, epoch);
  }
  auto reader = world.connect("reader");
  auto frames = world.exchange(
      reader, fmt::format(R"({{"type":"subscribe","topics":["t.a","t.b","t.c"],"recover":{{{}}}}})", positions));
  CHECK_EQ(frames.size(), 601);
  CHECK_EQ(std::ranges::count_if(frames, [](const auto& frame) { return field(frame, "reason") == "filtered"; }), 300);
  CHECK_EQ(types(world.exchange(reader, R"({"type":"ping"})")), "pong");
}

TEST_CASE("a confirmation may be larger than all answers that may wait") {
  RealtimeOptions options;
  options.connection.outbox.control_bytes_max = 1000;
  options.connection.outbox.control_bytes_pause = 500;
  RealtimeWorld world{options};
  auto reader = world.connect("reader");
  std::string topics;
  for (int i = 0; i < 100; ++i) topics += fmt::format(R"({}"topic.{}")", i == 0 ? "" : ",", i);
  auto frames = world.exchange(reader, fmt::format(R"({{"type":"subscribe","id":"s","topics":[{}]}})", topics));
  CHECK_EQ(types(frames), "subscription_confirmed");
  CHECK_EQ(types(world.exchange(reader, R"({"type":"ping"})")), "pong");
}

TEST_CASE("what waits for a slow reader leaves by priority") {
  RealtimeWorld world{with_rules({{.topic = pattern("alarm"), .priority = Priority::high}}), 1, {.buffer_bytes = 4096}};
  auto reader = world.connect("reader");
  auto writer = world.connect("writer");
  world.exchange(reader, R"({"type":"subscribe","topics":["alarm","bulk","chat"]})");
  reader->stop_reading();
  std::string large(4000, 'x');
  for (int i = 0; i < 8; ++i) {
    world.exchange(writer,
                   fmt::format(R"({{"type":"publish","topic":"bulk","priority":"low","payload":"{}"}})", large));
  }
  world.exchange(writer, R"({"type":"publish","topic":"chat","payload":1})");
  world.exchange(writer, R"({"type":"publish","topic":"alarm","payload":1})");
  reader->read_again();
  world.world.run_until_idle();
  std::string order;
  for (const auto& frame : reader->take()) {
    auto topic = field(frame, "topic");
    if (!order.ends_with(topic + " ")) order += topic + " ";
  }
  CHECK_EQ(order, "bulk alarm chat bulk ");
  auto wrong = world.exchange(writer, R"({"type":"publish","id":"1","topic":"a","priority":"urgent","payload":1})");
  CHECK_EQ(field(wrong[0], "message"), "`priority` must be low, normal or high");
}

}  // namespace
}  // namespace troupe::realtime
