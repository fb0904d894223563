// presence, history and topics over HTTP: pages, their order, and what is refused.
#include "troupe/realtime/api/api.h"

#include <doctest/doctest.h>

#include "troupe/realtime/api/query.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using testing::ask_http;
using testing::field;
using testing::RealtimeWorld;
using testing::types;

constexpr std::string_view reader = "reader,realtime:read";

std::string read(RealtimeWorld& world, std::string_view target) {
  auto answer = ask_http(world, "GET", fmt::format("/api/v1/{}", target), reader);
  REQUIRE_EQ(answer.status, 200);
  return answer.body;
}

TEST_CASE("what cannot be read is refused with the parameter's name") {
  struct Row {
    std::string_view target;
    int status;
    std::string_view detail;
  };
  constexpr Row rows[] = {
      {"presence", 400, "`topic` is missing"},
      {"presence?topic=a..b", 400, "`topic`"},
      {"presence?topic=$user.bob", 400, "`topic` is the server's own"},
      {"presence?topic=a&topic=a", 400, "`topic` is given twice"},
      {"presence?topic=a&limit=0", 400, "`limit` must be from 1 to 1000"},
      {"presence?topic=a&limit=1001", 400, "`limit`"},
      {"presence?topic=a&limit=-1", 400, "`limit`"},
      {"presence?topic=a&after=", 400, "`after` is empty"},
      {"history?topic=a*", 400, "`topic`"},
      {"history?topic=a.*", 400, "`topic`"},
      {"history?topic=$user.bob", 400, "`topic`"},
      {"history?topic=a&since=x", 400, "`since` must be `epoch:offset`"},
      {"history?topic=a&since=e:x", 400, "`since`"},
      {"history?topic=a&since=e:1&before=e:1", 400, "`before` excludes `since`"},
      {"history?topic=%zz", 400, "query"},
      {"topics?pattern=a.>.b", 400, "`pattern`"},
      {"topics?pattern=$user.*", 400, "`pattern`"},
      {"nothing", 404, "nothing at this path"},
  };
  RealtimeWorld world;
  for (const Row& row : rows) {
    CAPTURE(row.target);
    auto answer = ask_http(world, "GET", fmt::format("/api/v1/{}", row.target), reader);
    CHECK_EQ(answer.status, row.status);
    CHECK_NE(answer.body.find(row.detail), std::string::npos);
  }
  for (auto target : {"presence?topic=a", "history?topic=a", "topics"}) {
    CAPTURE(target);
    auto answer = ask_http(world, "GET", fmt::format("/api/v1/{}", target), "u,topic:>:subscribe");
    CHECK_EQ(answer.status, 403);
    CHECK_NE(answer.body.find("`realtime:read`"), std::string::npos);
    CHECK_NE(answer.head.find("insufficient_scope"), std::string::npos);
  }
}

TEST_CASE("history comes oldest first, its bounds excluded, binary payloads as base64") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 1);
  for (int i = 1; i <= 4; ++i) {
    world.exchange(alice, fmt::format(R"({{"type":"publish","topic":"a.b","payload":{{"n": {}}}}})", i));
  }
  alice->send(wire::Opcode::binary, "{\"type\":\"publish\",\"topic\":\"a.b\"}\n\x01\x02\xff");
  world.world.run_until_idle();
  auto newest = read(world, "history?topic=a.b&limit=2");
  auto epoch = field(newest, "epoch");
  CHECK_EQ(field(newest, "complete"), "true");
  CHECK_NE(newest.find(R"("payload":{"n": 4})"), std::string::npos);
  CHECK_NE(newest.find(R"("payload_base64":"AQL/")"), std::string::npos);
  CHECK_EQ(newest.find(R"({"n": 3})"), std::string::npos);
  auto since = read(world, fmt::format("history?topic=a.b&limit=2&since={}:1", epoch));
  CHECK_NE(since.find(R"({"n": 2})"), std::string::npos);
  CHECK_LT(since.find(R"({"n": 2})"), since.find(R"({"n": 3})"));
  CHECK_EQ(since.find(R"({"n": 4})"), std::string::npos);
  auto before = read(world, fmt::format("history?topic=a.b&before={}:3", epoch));
  CHECK_NE(before.find(R"({"n": 1})"), std::string::npos);
  CHECK_EQ(before.find(R"({"n": 3})"), std::string::npos);
  for (const auto& unknown :
       std::vector<std::string>{"since=another:1", "before=another:1", "before=" + epoch + ":0"}) {
    auto nowhere = read(world, "history?topic=a.b&" + unknown);
    CHECK_EQ(field(nowhere, "complete"), "false");
    CHECK_EQ(field(nowhere, "epoch"), epoch);
  }
  CHECK_NE(read(world, "history?topic=never").find(R"("items":[])"), std::string::npos);
}

TEST_CASE("what a rule shows only to some is hidden from who lacks its scope") {
  RealtimeOptions options;
  RoutingRule secret{.topic = TopicPattern::parse("alerts").value(), .target = std::make_shared<std::string>("ops")};
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{}, RealtimeSettings::Namespaces{},
                                                              Anonymous::refused, std::vector{secret});
  RealtimeWorld world{options};
  auto alice = world.connect("alice");
  world.exchange(alice, R"({"type":"publish","topic":"alerts","payload":"fire"})");
  CHECK_EQ(read(world, "history?topic=alerts").find("fire"), std::string::npos);
  auto answer = ask_http(world, "GET", "/api/v1/history?topic=alerts", "reader,realtime:read,ops");
  CHECK_NE(answer.body.find("fire"), std::string::npos);
}

TEST_CASE("presence lists users page by page") {
  RealtimeWorld world;
  std::vector<testing::Socket> sockets;
  for (auto user : {"carol", "alice", "bob"}) {
    sockets.push_back(world.connect(user, sockets.size() % 2));
    world.exchange(sockets.back(), R"({"type":"subscribe","topics":["room"]})");
  }
  world.world.advance(std::chrono::seconds{1});
  auto first = read(world, "presence?topic=room&limit=2");
  CHECK_EQ(field(first, "count"), "3");
  CHECK_NE(first.find(R"("users":["alice","bob"])"), std::string::npos);
  auto second = read(world, fmt::format("presence?topic=room&limit=2&after={}", field(first, "next")));
  CHECK_NE(second.find(R"("users":["carol"])"), std::string::npos);
  CHECK_EQ(field(second, "next"), "");
}

TEST_CASE("topics of all homes come in the order of their names, within the pattern, page by page") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  for (auto topic : {"b.2", "a.1", "b.1", "b.3", "c"}) {
    world.exchange(alice, fmt::format(R"({{"type":"publish","topic":"{}","payload":1}})", topic));
  }
  auto names = [](const std::string& body) {
    std::string names;
    for (auto at = body.find("{\"topic\""); at != std::string::npos; at = body.find("{\"topic\"", at + 1)) {
      names += field(std::string_view{body}.substr(at), "topic") + " ";
    }
    return names;
  };
  CHECK_EQ(names(read(world, "topics")), "a.1 b.1 b.2 b.3 c ");
  CHECK_EQ(names(read(world, "topics?pattern=b.*")), "b.1 b.2 b.3 ");
  CHECK_EQ(field(read(world, "topics?pattern=c"), "offset"), "1");
  std::string all;
  std::string after;
  for (int page = 0; page < 3; ++page) {
    auto body = read(world, "topics?limit=2" + (after.empty() ? "" : "&after=" + after));
    all += names(body);
    after = field(body, "next");
    CHECK_EQ(after.empty(), page == 2);
  }
  CHECK_EQ(all, "a.1 b.1 b.2 b.3 c ");
}

TEST_CASE("a number is the whole text") {
  CHECK_EQ(api::number_of("12"), 12);
  for (auto text : {"", "1x", " 1", "-1", "99999999999999999999999"}) CHECK_FALSE(api::number_of(text).has_value());
}

}  // namespace
}  // namespace troupe::realtime
