// `/events`: who may open a stream, what it tells, how it goes on after a cut, and every way in which it ends.
#include "troupe/realtime/service/events.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "troupe/realtime/testing/test_events.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::ask_for_events;
using testing::ask_http;
using testing::Events;
using testing::field;
using testing::RealtimeWorld;
using testing::token_of_user;
using testing::types;

void publish(RealtimeWorld& world, testing::Socket& socket, std::string_view topic, int payload) {
  world.exchange(socket, fmt::format(R"({{"type":"publish","topic":"{}","payload":{}}})", topic, payload));
}

Events go_on(RealtimeWorld& world, std::string_view query, std::string_view token, const std::string& id,
             std::size_t core = 0) {
  return ask_for_events(world, query, token, fmt::format("Last-Event-ID: {}\r\n", id), core);
}

/// Bob's stream of the topic `a`, of which he reads nothing any more, and alice, who floods it.
struct SlowStream {
  SlowStream() {
    world.world.advance(1s);
    events->take();
    events->stop_reading();
    alice = world.connect("alice", 1);
  }
  void flood() {
    for (int i = 1; i <= 30; ++i) publish(world, alice, "a", i);
  }
  static RealtimeOptions options() {
    RealtimeOptions options;
    options.connection.outbox.messages_max = 3;
    return options;
  }

  RealtimeWorld world{options(), 1, {.buffer_bytes = 600}};
  std::string token = token_of_user("bob");
  Events events = ask_for_events(world, "topic=a&overflow=drop_oldest", token);
  testing::Socket alice;
};

TEST_CASE("a stream tells who it is for, confirms its topics, and then tells their messages") {
  RealtimeWorld world;
  auto token = token_of_user("bob");
  auto events = ask_for_events(world, "topic=a.b&topic=c.*&topic=a.b", token);
  CHECK_EQ(events->status(), 200);
  CHECK_NE(events->head().find("Content-Type: text/event-stream\r\n"), std::string::npos);
  CHECK_NE(events->head().find("Cache-Control: no-store\r\n"), std::string::npos);
  auto first = events->take();
  REQUIRE_EQ(types(first), "welcome subscription_confirmed");
  CHECK_EQ(first[0].id, "");
  CHECK_NE(first[1].id, "");
  CHECK_EQ(field(first[1].data, "active_subscriptions"), "2");
  auto alice = world.connect("alice", 1);
  publish(world, alice, "a.b", 1);
  publish(world, alice, "c.d", 2);
  publish(world, alice, "other", 3);
  auto told = events->take();
  REQUIRE_EQ(types(told), "message message");
  CHECK_EQ(field(told[0].data, "payload"), "1");
  CHECK_EQ(field(told[0].data, "sender"), "alice");
  CHECK_NE(told[0].id, first[1].id);
  CHECK_EQ(field(told[1].data, "topic"), "c.d");
}

TEST_CASE("who may not open a stream is told why") {
  RealtimeOptions options;
  options.allowed_origins = {"https://app.example"};
  RealtimeWorld world{options};
  struct Row {
    std::string_view query, token, headers;
    int status;
    std::string_view detail;
  };
  const Row rows[] = {
      {"topic=a", "", "", 401, "needed"},
      {"topic=a", "bad", "", 401, "not valid"},
      {"topic=a", "later", "", 503, "verified"},
      {"topic=a", "bob", "", 403, "subscribe to `a`"},
      {"topic=chat.a&topic=b", "bob,topic:chat.*:subscribe", "", 403, "subscribe to `b`"},
      {"topic=>", "bob,topic:chat.*:subscribe", "", 403, "subscribe to `>`"},
      {"topic=$user.alice", "bob,topic:>:subscribe", "", 403, "`$user.alice`"},
      {"", "bob,topic:>:subscribe", "", 400, "`topic` is missing"},
      {"topic=a..b", "bob,topic:>:subscribe", "", 400, "`topic`"},
      {"topic=a&overflow=never", "bob,topic:>:subscribe", "", 400, "`overflow`"},
      {"topic=a&overflow=block", "bob,topic:>:subscribe", "", 400, "`overflow`"},
      {"topic=a&overflow=latest&overflow=spill", "bob,topic:>:subscribe", "", 400, "`overflow` comes twice"},
      {"topic=a&last_event_id=x&last_event_id=y", "bob,topic:>:subscribe", "", 400, "`last_event_id` comes twice"},
      {"topic=%zz", "bob,topic:>:subscribe", "", 400, "query"},
      {"topic=a", "bob,topic:>:subscribe", "Origin: https://evil.example\r\n", 403, "origin"},
      {"topic=a..b", "", "Authorization: Basic Ym9i\r\n", 401, "not valid"},
      {"topic=a..b", "", "", 400, "`topic`"},
      {"topic=%zz", "", "", 400, "query"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.query);
    CAPTURE(row.token);
    auto events = ask_for_events(world, row.query, row.token, row.headers);
    CHECK_EQ(events->status(), row.status);
    CHECK_NE(events->rest().find(row.detail), std::string::npos);
  }
  std::string many;
  for (std::size_t i = 0; i <= stream_topics_max; ++i) many += fmt::format("topic=t{}&", i);
  CHECK_EQ(ask_for_events(world, many, "bob,topic:>:subscribe")->status(), 400);
  CHECK_EQ(ask_for_events(world, many, "")->status(), 400);
  auto as_many_as_may_be = many.substr(many.find('&') + 1) + "access_token=bob,topic:>:subscribe";
  CHECK_EQ(ask_for_events(world, as_many_as_may_be, "")->status(), 200);
  CHECK_EQ(ask_for_events(world, "topic=a&access_token=bob,topic:a:subscribe", "")->status(), 200);
}

TEST_CASE("a page of an allowed origin may read the stream, and may ask whether it may") {
  RealtimeOptions options;
  options.allowed_origins = {"https://app.example"};
  RealtimeWorld world{options};
  auto good = ask_for_events(world, "topic=a", token_of_user("bob"), "Origin: https://app.example\r\n");
  CHECK_NE(good->head().find("Access-Control-Allow-Origin: https://app.example\r\n"), std::string::npos);
  CHECK_NE(good->head().find("Vary: Origin\r\n"), std::string::npos);
  auto refused = ask_for_events(world, "topic=a", "bad", "Origin: https://app.example\r\n");
  CHECK_EQ(refused->status(), 401);
  CHECK_NE(refused->head().find("Access-Control-Allow-Origin: https://app.example\r\n"), std::string::npos);
  auto other = ask_for_events(world, "topic=a", token_of_user("bob"), "Origin: https://evil.example\r\n");
  CHECK_EQ(other->head().find("Access-Control"), std::string::npos);
  CHECK_EQ(ask_for_events(world, "topic=a", token_of_user("bob"))->head().find("Access-Control"), std::string::npos);

  auto asked = ask_http(world, "OPTIONS", "/events", "", "", "Origin: https://app.example\r\n");
  CHECK_EQ(asked.status, 204);
  CHECK_NE(asked.head.find("Access-Control-Allow-Headers: Authorization, Last-Event-ID"), std::string::npos);
  CHECK_EQ(ask_http(world, "OPTIONS", "/events", "", "", "Origin: https://evil.example\r\n").status, 403);
  CHECK_EQ(ask_http(world, "OPTIONS", "/events", "").head.find("Access-Control"), std::string::npos);
}

TEST_CASE("from the id of any event all topics go on, without a loss and without a double") {
  RealtimeWorld world;
  auto token = token_of_user("bob");
  constexpr std::string_view query = "topic=a&topic=b";
  auto events = ask_for_events(world, query, token);
  auto alice = world.connect("alice", 1);
  for (int i = 1; i <= 6; ++i) publish(world, alice, i % 2 == 0 ? "a" : "b", i);
  auto told = events->take();
  REQUIRE_EQ(told.size(), 8);  // welcome, confirmation and six messages
  events->vanish();
  world.world.run_until_idle();
  publish(world, alice, "b", 7);
  for (std::size_t cut = 1; cut < told.size(); ++cut) {
    CAPTURE(cut);
    auto again = go_on(world, query, token, told[cut].id, cut % 2);
    publish(world, alice, "a", 0);  // live, behind what was missed
    auto more = again->take();
    REQUIRE_GE(more.size(), 2);
    CHECK_EQ(types(std::vector<testing::Event>{more.begin(), more.begin() + 2}), "welcome subscription_confirmed");
    CHECK_EQ(more[1].data.find(R"("recovered":false)"), std::string::npos);
    std::multiset<std::string> expected{"7"};
    for (std::size_t i = cut + 1; i < told.size(); ++i) expected.insert(field(told[i].data, "payload"));
    std::multiset<std::string> seen;
    std::map<std::string, int> last;
    for (std::size_t i = 2; i < more.size(); ++i) {
      REQUIRE_EQ(more[i].type, "message");
      auto offset = std::stoi(field(more[i].data, "offset"));
      auto& before = last[field(more[i].data, "topic")];
      if (before != 0) CHECK_EQ(offset, before + 1);
      before = offset;
      if (field(more[i].data, "payload") != "0") seen.insert(field(more[i].data, "payload"));
    }
    CHECK_EQ(seen, expected);
  }
}

TEST_CASE("patterns go on from the id of any event, too, alone and beside names") {
  for (std::string_view query :
       {"topic=a.*", "topic=a.*&topic=b", "topic=>", "topic=a.x&topic=a.*&topic=*.y&topic=b"}) {
    CAPTURE(query);
    RealtimeWorld world;
    auto token = token_of_user("bob");
    auto events = ask_for_events(world, query, token);
    auto alice = world.connect("alice", 1);
    constexpr std::string_view names[] = {"a.x", "b", "a.y", "a.z"};
    for (int i = 1; i <= 12; ++i) {
      world.exchange(alice, fmt::format(R"({{"type":"publish","topic":"{}","payload":{},"priority":"{}"}})",
                                        names[i % 4], i, i % 3 == 0 ? "high" : "low"));
    }
    auto told = events->take();
    events->vanish();
    world.world.run_until_idle();
    for (std::size_t cut = 1; cut < told.size(); ++cut) {
      CAPTURE(cut);
      auto more = go_on(world, query, token, told[cut].id, cut % 2)->take();
      REQUIRE_GE(more.size(), 2);
      CHECK_EQ(more[1].data.find(R"("recovered":false)"), std::string::npos);
      std::multiset<std::string> expected, seen;
      for (std::size_t i = cut + 1; i < told.size(); ++i) expected.insert(field(told[i].data, "payload"));
      for (std::size_t i = 2; i < more.size(); ++i) seen.insert(field(more[i].data, "payload"));
      CHECK_EQ(seen, expected);
    }
  }
}

TEST_CASE("the id may come in the query, the header goes before it, and what is no id is told as not recovered") {
  RealtimeWorld world;
  auto token = token_of_user("bob");
  auto events = ask_for_events(world, "topic=a", token);
  auto alice = world.connect("alice", 1);
  publish(world, alice, "a", 1);
  auto id = events->take().at(1).id;
  auto by_query = ask_for_events(world, "topic=a&last_event_id=" + id, token);
  CHECK_EQ(types(by_query->take()), "welcome subscription_confirmed message");
  auto both = ask_for_events(world, "topic=a&last_event_id=" + id, token,
                             fmt::format("Last-Event-ID: {}\r\n", events->last_id()));
  CHECK_EQ(types(both->take()), "welcome subscription_confirmed");
  for (const std::string& forged : {std::string{"x"}, id + "AAAA", id.substr(1), std::string(5000, 'A')}) {
    auto again = go_on(world, "topic=a", token, forged);
    auto told = again->take();
    REQUIRE_EQ(types(told), "welcome subscription_confirmed");
    CHECK_EQ(field(told[1].data, "recovered"), "false");
  }
}

TEST_CASE("what history has lost is told as not recovered, and the next id is that of what comes now") {
  RealtimeOptions options;
  NamespaceOptions short_memory;
  short_memory.history.count_max = 2;
  options.settings = std::make_shared<const RealtimeSettings>(short_memory);
  RealtimeWorld world{options};
  auto token = token_of_user("bob");
  auto events = ask_for_events(world, "topic=a", token);
  auto id = events->last_id();
  auto alice = world.connect("alice", 1);
  for (int i = 1; i <= 3; ++i) publish(world, alice, "a", i);
  auto late = go_on(world, "topic=a", token, id);
  auto told = late->take();
  REQUIRE_EQ(types(told), "welcome subscription_confirmed");
  CHECK_EQ(field(told[1].data, "recovered"), "false");
  publish(world, alice, "a", 4);
  CHECK_EQ(types(late->take()), "message");
  CHECK_EQ(types(go_on(world, "topic=a", token, told[1].id)->take()), "welcome subscription_confirmed message");
}

TEST_CASE("a slow reader is told what it misses, and its id stands behind the gap") {
  SlowStream slow;
  auto& [world, token, events, alice] = slow;
  slow.flood();
  events->read_again();
  world.world.run_until_idle();
  auto told = events->take();
  int next = 1;
  bool has_gap = false;
  for (const auto& event : told) {
    if (event.type == "gap") {
      has_gap = true;
      CHECK_EQ(field(event.data, "from"), std::to_string(next));
      next = std::stoi(field(event.data, "to")) + 1;
      auto again = go_on(world, "topic=a", token, event.id, 1);
      world.world.run_until_idle();
      auto recovered = again->take();
      REQUIRE_GE(recovered.size(), 3);
      CHECK_EQ(field(recovered[2].data, "offset"), std::to_string(next));
    } else {
      CHECK_EQ(field(event.data, "offset"), std::to_string(next++));
    }
  }
  CHECK(has_gap);
  CHECK_EQ(next, 31);
}

TEST_CASE("direct messages come too, and going on from their id says that they were received") {
  RealtimeWorld world;
  auto token = token_of_user("bob");
  auto alice = world.connect("alice", 1);
  world.exchange(alice, R"({"type":"direct","user":"bob","payload":1})");
  auto events = ask_for_events(world, "topic=a", token);
  world.exchange(alice, R"({"type":"direct","user":"bob","payload":2})");
  auto told = events->take();
  CHECK_EQ(types(told), "welcome direct subscription_confirmed direct");
  auto id = events->last_id();
  events->vanish();
  world.exchange(alice, R"({"type":"direct","user":"bob","payload":3})");
  auto again = go_on(world, "topic=a", token, id);
  auto more = again->take();
  REQUIRE_EQ(types(more), "welcome direct subscription_confirmed");
  CHECK_EQ(field(more[1].data, "payload"), "3");
  // A WebSocket of the user has the third alone, for the others were received.
  auto socket = world.ask_for("/ws", fmt::format("Authorization: Bearer {}\r\n", token), 1);
  CHECK_EQ(types(socket->take()), "welcome direct");
}

TEST_CASE("a direct message that a slow stream had no room for was not received, and comes with the next one") {
  SlowStream slow;
  auto& [world, token, events, alice] = slow;
  slow.flood();
  world.exchange(alice, R"({"type":"direct","user":"bob","payload":"lost on its way"})");
  slow.flood();
  events->read_again();
  world.world.run_until_idle();
  const auto told = events->take();
  REQUIRE(std::ranges::any_of(
      told, [](const auto& event) { return event.type == "gap" && field(event.data, "topic") == "$user.bob"; }));
  world.exchange(alice, R"({"type":"direct","user":"bob","payload":"after it"})");
  REQUIRE_EQ(types(events->take()), "direct");
  const auto id = events->last_id();
  events->vanish();
  const auto again = go_on(world, "topic=a", token, id)->take();
  const auto first = std::ranges::find(again, "direct", [](const auto& event) { return event.type; });
  REQUIRE(first != again.end());
  CHECK_EQ(field(first->data, "payload"), "lost on its way");
  CHECK_EQ(std::ranges::count(again, "direct", [](const auto& event) { return event.type; }), 2);
}

TEST_CASE("who comes back to an inbox that was read to its end is not told that it began anew") {
  RealtimeWorld world;
  const auto token = token_of_user("bob");
  auto alice = world.connect("alice", 1);
  auto events = ask_for_events(world, "topic=a", token);
  world.exchange(alice, R"({"type":"direct","user":"bob","payload":1})");
  REQUIRE_EQ(types(events->take()), "welcome subscription_confirmed direct");
  for (int i = 2; i <= 4; ++i) {
    for (int comes_back = 0; comes_back < 2; ++comes_back) {  // the first time it says that it has received all
      const auto id = events->last_id();
      events->vanish();
      world.world.advance(1s);
      events = go_on(world, "topic=a", token, id);
      CHECK_EQ(types(events->take()), "welcome subscription_confirmed");
    }
    world.exchange(alice, R"({"type":"direct","user":"bob","payload":1})");
    const auto told = events->take();
    REQUIRE_EQ(types(told), "direct");
    CHECK_EQ(field(told[0].data, "offset"), std::to_string(i));
  }
}

TEST_CASE("binary payloads come as base64, live and recovered") {
  RealtimeWorld world;
  auto token = token_of_user("bob");
  auto events = ask_for_events(world, "topic=a", token);
  auto id = events->last_id();
  auto alice = world.connect("alice", 1);
  alice->send(wire::Opcode::binary, "{\"type\":\"publish\",\"topic\":\"a\"}\n\x01\n\xff");
  world.world.run_until_idle();
  auto again = go_on(world, "topic=a", token, id);
  for (auto* stream : {&events, &again}) {
    auto told = (*stream)->take();
    REQUIRE_EQ(told.back().type, "message");
    CHECK_EQ(field(told.back().data, "payload_base64"), "AQr/");
  }
}

TEST_CASE("a revoked or expired token ends the stream with the reason, and no other stream") {
  RealtimeWorld world;
  auto events = ask_for_events(world, "topic=a", token_of_user("bob"));
  auto other = ask_for_events(world, "topic=a", token_of_user("carol"), {}, 1);
  events->take();
  SUBCASE("revoked") {
    world.realtime->supervisor().tell(TokenRevoked{TokenId{token_of_user("bob")}});
    world.world.run_until_idle();
    auto last = events->take();
    REQUIRE_EQ(types(last), "closed");
    CHECK_EQ(field(last[0].data, "code"), "4001");
    CHECK_EQ(field(last[0].data, "reason"), "the token was revoked");
    CHECK(events->is_closed());
  }
  SUBCASE("expired") {
    auto expires = world.world.core(0).wall().milliseconds + 150'000;
    auto short_lived = ask_for_events(world, "topic=a", fmt::format("eve,topic:a:subscribe,expires={}", expires));
    short_lived->take();
    world.world.advance(100s);
    CHECK_EQ(types(short_lived->take()), "token_expiring");
    world.world.advance(60s);
    auto last = short_lived->take();
    REQUIRE_EQ(types(last), "closed");
    CHECK_EQ(field(last[0].data, "code"), "4001");
    CHECK(short_lived->is_closed());
  }
  CHECK_FALSE(other->is_closed());
}

TEST_CASE("a drain tells when to come back, ends the stream, and lets nobody in") {
  RealtimeWorld world;
  auto token = token_of_user("bob");
  auto events = ask_for_events(world, "topic=a", token);
  events->take();
  world.realtime->supervisor().tell(DrainRealtime{2s});
  world.world.advance(5s);
  auto last = events->take();
  REQUIRE_EQ(types(last), "draining closed");
  CHECK_EQ(field(last[0].data, "reconnect_after_ms"), events->retry());
  CHECK_EQ(field(last[1].data, "code"), "1001");
  CHECK_NE(events->last_id(), "");
  CHECK(events->is_closed());
  CHECK_EQ(ask_for_events(world, "topic=a", token)->status(), 503);
}

TEST_CASE("a stream has a place within the limits, is listed, and is sent away like others") {
  RealtimeOptions options;
  options.connections_by_user_max = 1;
  RealtimeWorld world{options};
  auto token = token_of_user("bob");
  auto events = ask_for_events(world, "topic=a", token);
  CHECK_EQ(ask_for_events(world, "topic=a", token)->status(), 503);
  CHECK_EQ(world.ask_for("/ws", fmt::format("Authorization: Bearer {}\r\n", token))->status(), 503);
  auto list = ask_http(world, "GET", "/api/v1/connections", "admin,realtime:admin").body;
  CHECK_EQ(field(list, "protocol"), "events");
  CHECK_EQ(field(list, "user"), "bob");
  ask_http(world, "DELETE", "/api/v1/users/bob/connections", "admin,realtime:admin");
  auto last = events->take();
  REQUIRE_EQ(types(last), "welcome subscription_confirmed closed");
  CHECK_EQ(field(last[2].data, "code"), "1008");
  events->vanish();  // or a second passes: then it is not waited for any longer
  world.world.run_until_idle();
  auto next = ask_for_events(world, "topic=a", token);
  CHECK_EQ(next->status(), 200);
  next->vanish();
  world.world.run_until_idle();
  CHECK_EQ(ask_for_events(world, "topic=a", token)->status(), 200);
}

TEST_CASE("comments keep a silent stream alive, and a reader who takes none loses it") {
  RealtimeWorld world{{}, 1, {.buffer_bytes = 2000}};
  auto events = ask_for_events(world, "topic=a", token_of_user("bob"));
  world.world.advance(10min);
  CHECK_GT(events->comments(), 20);
  CHECK_FALSE(events->is_closed());
  events->stop_reading();
  auto alice = world.connect("alice", 1);
  for (int i = 0; i < 40; ++i) publish(world, alice, "a", i);
  world.world.advance(60s);
  events->read_again();
  world.world.run_until_idle();
  CHECK(events->is_closed());
}

TEST_CASE("a stream whose topics are all taken from it ends, one that keeps some goes on") {
  RealtimeOptions options;
  auto with = [&](std::vector<std::string_view> granted) {
    NamespaceOptions defaults;
    for (auto topic : granted)
      defaults.default_grants.push_back({TopicPattern::parse(topic).value(), TopicAction::subscribe});
    options.settings = std::make_shared<const RealtimeSettings>(defaults);
    return options;
  };
  RealtimeWorld world{with({"a", "b"})};
  auto events = ask_for_events(world, "topic=a&topic=b", "bob");
  events->take();
  auto use = [&](RealtimeOptions changed) {
    world.realtime->supervisor().tell(UseOptions{std::make_shared<const RealtimeOptions>(std::move(changed))});
    world.world.run_until_idle();
  };
  use(with({"b"}));
  CHECK_EQ(types(events->take()), "unsubscribed");
  use(with({}));
  auto last = events->take();
  REQUIRE_EQ(types(last), "unsubscribed closed");
  CHECK_EQ(field(last[1].data, "code"), "1008");
}

TEST_CASE("anonymous streams are let in where they may be, with the grants of those without a token") {
  NamespaceOptions defaults;
  defaults.anonymous_grants.push_back({TopicPattern::parse("news").value(), TopicAction::subscribe});
  RealtimeOptions options;
  options.settings =
      std::make_shared<const RealtimeSettings>(defaults, RealtimeSettings::Namespaces{}, Anonymous::allowed);
  RealtimeWorld world{options};
  auto events = ask_for_events(world, "topic=news", "");
  auto told = events->take();
  REQUIRE_EQ(types(told), "welcome subscription_confirmed");
  CHECK(field(told[0].data, "user").starts_with("anon:"));
  CHECK_EQ(ask_for_events(world, "topic=other", "")->status(), 403);
}

}  // namespace
}  // namespace troupe::realtime
