// publish, broadcast and direct over HTTP: who may, what is sent, and what a repeat is answered.
#include "troupe/realtime/api/api.h"

#include <doctest/doctest.h>

#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::ask_http;
using testing::field;
using testing::HttpAnswer;
using testing::RealtimeWorld;
using testing::types;

constexpr std::string_view back_end = "back_end,realtime:publish,topic:chat.*:publish";
constexpr std::string_view general = R"({"topic":"chat.general","payload":{"a": 1}})";

HttpAnswer publish(RealtimeWorld& world, std::string_view body, std::string_view headers = {},
                   std::string_view token = back_end, std::size_t core = 0) {
  return ask_http(world, "POST", "/api/v1/publish", token, body, headers, core);
}

TEST_CASE("a publication over HTTP reaches subscribers byte for byte and is answered with the counts") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  world.exchange(alice, R"({"type":"subscribe","topics":["chat.general"]})");
  world.exchange(bob, R"({"type":"subscribe","topics":["chat.*"]})");
  auto answer =
      publish(world, R"({ "payload" : {"a": [1 ,2], "b":1.50} , "topic":"chat.general","what":"is skipped"})");
  REQUIRE_EQ(answer.status, 200);
  CHECK_NE(answer.head.find("application/json"), std::string::npos);
  CHECK_EQ(field(answer.body, "delivered_to"), "2");
  CHECK_EQ(field(answer.body, "offset"), "1");
  auto frames = alice->take();
  REQUIRE_EQ(types(frames), "message");
  CHECK_NE(frames[0].find(R"("payload":{"a": [1 ,2], "b":1.50}})"), std::string::npos);
  CHECK_EQ(field(frames[0], "sender"), "back_end");
  CHECK_EQ(types(bob->take()), "message");
}

TEST_CASE("who may not is told why, and nothing is published") {
  struct Row {
    std::string_view what, target, token, body;
    int status;
    std::string_view detail;
  };
  constexpr std::string_view too_long = R"({"topic":"chat.general","payload":1)";
  const Row rows[] = {
      {"no token", "publish", "", general, 401, "is needed"},
      {"a bad token", "publish", "bad", general, 401, "not valid"},
      {"a token that cannot be verified now", "publish", "later", general, 503, "verified now"},
      {"no scope", "publish", "u,topic:>:publish", general, 403, "`realtime:publish`"},
      {"no topic", "publish", "u,realtime:publish", general, 403, "publish to `chat.general`"},
      {"another topic", "publish", back_end, R"({"topic":"news","payload":1})", 403, "publish to `news`"},
      {"the server's topic", "publish", "u,realtime:publish,topic:$user.*:publish",
       R"({"topic":"$user.bob","payload":1})", 403, "publish to `$user.bob`"},
      {"one of two topics", "broadcast", back_end, R"({"topics":["chat.general","news"],"payload":1})", 403, "`news`"},
      {"no scope for a broadcast", "broadcast", "u,topic:>:publish", R"({"topics":["chat.general"],"payload":1})", 403,
       "`realtime:publish`"},
      {"no scope for a direct message", "direct", "u,topic:>:publish", R"({"user":"bob","payload":1})", 403,
       "`realtime:publish`"},
      {"no JSON", "publish", back_end, too_long, 400, "body"},
      {"no payload", "publish", back_end, R"({"topic":"chat.general"})", 400, "`payload` is missing"},
      {"a pattern", "publish", back_end, R"({"topic":"chat.*","payload":1})", 400, "`topic`"},
      {"a pattern in a broadcast", "broadcast", back_end, R"({"topics":["chat.*"],"payload":1})", 400, "`chat.*`"},
      {"no topics", "broadcast", back_end, R"({"topics":[],"payload":1})", 400, "`topics` is empty"},
      {"a topic twice", "broadcast", back_end, R"({"topics":["chat.a","chat.a"],"payload":1})", 400, "twice"},
      {"a field twice", "publish", back_end, R"({"topic":"chat.a","topic":"chat.a","payload":1})", 400, "twice"},
      {"a wrong priority", "publish", back_end, R"({"topic":"chat.a","payload":1,"priority":"urgent"})", 400,
       "`priority`"},
      {"no user", "direct", back_end, R"({"user":"","payload":1})", 400, "`user` is empty"},
      {"no user's name", "direct", back_end, R"({"user":"a..b","payload":1})", 400, "`user`"},
  };
  RealtimeWorld world;
  auto alice = world.connect("alice");
  world.exchange(alice, R"({"type":"subscribe","topics":["chat.*","news"]})");
  for (const Row& row : rows) {
    CAPTURE(row.what);
    auto answer = ask_http(world, "POST", fmt::format("/api/v1/{}", row.target), row.token, row.body);
    CHECK_EQ(answer.status, row.status);
    CHECK_NE(answer.head.find("application/problem+json"), std::string::npos);
    CHECK_NE(answer.body.find(row.detail), std::string::npos);
    if (row.status == 503) CHECK_NE(answer.head.find("Retry-After: "), std::string::npos);
    if (row.status == 401) CHECK_NE(answer.head.find("WWW-Authenticate: Bearer"), std::string::npos);
  }
  CHECK(alice->take().empty());
  CHECK_EQ(ask_http(world, "GET", "/api/v1/publish", back_end).status, 405);
}

TEST_CASE("a broadcast reaches each of its topics and answers for each") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 1);
  world.exchange(alice, R"({"type":"subscribe","topics":["chat.a","chat.c"]})");
  auto answer = ask_http(world, "POST", "/api/v1/broadcast", back_end,
                         R"({"topics":["chat.a","chat.b","chat.c"],"payload":[7]})");
  REQUIRE_EQ(answer.status, 200);
  auto frames = alice->take();
  REQUIRE_EQ(types(frames), "message message");
  for (auto topic : {"chat.a", "chat.b", "chat.c"}) {
    auto at = answer.body.find(fmt::format(R"("topic":"{}")", topic));
    REQUIRE_NE(at, std::string::npos);
    CHECK_EQ(field(answer.body.substr(at), "offset"), "1");
    CHECK_EQ(field(answer.body.substr(at), "delivered_to"), topic == std::string{"chat.b"} ? "0" : "1");
  }
}

TEST_CASE("a direct message waits for its user, whoever sent it") {
  RealtimeWorld world;
  auto answer = ask_http(world, "POST", "/api/v1/direct", back_end, R"({"user":"bob","payload":"hi"})");
  REQUIRE_EQ(answer.status, 200);
  CHECK_FALSE(field(answer.body, "message_id").empty());
  auto bob = world.ask_for("/ws", "Authorization: Bearer bob\r\n", 1);
  auto frames = bob->take();
  REQUIRE_EQ(types(frames), "welcome direct");
  CHECK_EQ(field(frames[1], "from"), "back_end");
  CHECK_EQ(field(frames[1], "message_id"), field(answer.body, "message_id"));
}

TEST_CASE("a repeat with the same key is answered as the first time and sends nothing") {
  struct Row {
    std::string_view target, body, other_body;
    std::string_view seen;  // by alice, of a request
  };
  const Row rows[] = {
      {"publish", general, R"({"topic":"chat.general","payload":2})", "message"},
      {"broadcast", R"({"topics":["chat.general","chat.b"],"payload":1})",
       R"({"topics":["chat.general","chat.b"],"payload":2})", "message"},
      {"direct", R"({"user":"alice","payload":1})", R"({"user":"alice","payload":2})", "direct"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.target);
    RealtimeWorld world;
    auto alice = world.connect("alice", 1);
    world.exchange(alice, R"({"type":"subscribe","topics":["chat.general"]})");
    auto ask = [&](std::string_view body, std::string_view key, std::string_view token = back_end) {
      return ask_http(world, "POST", fmt::format("/api/v1/{}", row.target), token, body,
                      fmt::format("Idempotency-Key: {}\r\n", key));
    };
    auto first = ask(row.body, "k1");
    REQUIRE_EQ(first.status, 200);
    CHECK_EQ(types(alice->take()), row.seen);
    auto again = ask(row.body, "k1");
    CHECK_EQ(again.status, 200);
    CHECK_EQ(again.body, first.body);
    CHECK_EQ(types(alice->take()), "");
    auto other = ask(row.other_body, "k1");
    CHECK_EQ(other.status, 409);
    CHECK_EQ(field(other.body, "code"), "bad_request");
    CHECK_EQ(types(alice->take()), "");
    CHECK_EQ(ask(row.body, "k2").status, 200);
    CHECK_EQ(types(alice->take()), row.seen);
    CHECK_EQ(ask(row.body, "k1", "another,realtime:publish,topic:>:publish").status, 200);  // another user's key
    CHECK_EQ(types(alice->take()), row.seen);
    world.world.advance(5min + 1s);
    CHECK_EQ(ask(row.body, "k1").status, 200);
    CHECK_EQ(types(alice->take()), row.seen);
  }
}

TEST_CASE("a key of the HTTP API is the same key on a WebSocket, and another one for another operation") {
  RealtimeWorld world;
  auto first = publish(world, general, "Idempotency-Key: k\r\n");
  auto socket = world.connect_token(back_end);
  auto again = world.exchange(
      socket, R"({"type":"publish","id":"1","topic":"chat.general","payload":{"a": 1},"idempotency_key":"k"})");
  REQUIRE_EQ(types(again), "ack");
  CHECK_EQ(field(again[0], "offset"), field(first.body, "offset"));
  auto broadcast = ask_http(world, "POST", "/api/v1/broadcast", back_end,
                            R"({"topics":["chat.general"],"payload":{"a": 1}})", "Idempotency-Key: k\r\n");
  CHECK_EQ(field(broadcast.body, "offset"), "2");
}

TEST_CASE("repeats that come while the first is under way share its answer") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  for (auto* socket : {&alice, &bob}) world.exchange(*socket, R"({"type":"subscribe","topics":["chat.general"]})");
  std::vector<web::testing::TestClient> clients;
  clients.reserve(6);
  for (std::size_t i = 0; i < 6; ++i) {
    clients.emplace_back(world.networks[i % 2]->connect({{}, 80}));
    clients.back().send(
        fmt::format("POST /api/v1/publish HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n"
                    "Idempotency-Key: k\r\nContent-Length: {}\r\n\r\n{}",
                    back_end, general.size(), general));
  }
  world.world.run_until_idle();
  for (auto& client : clients) {
    auto answer = client.take();
    CHECK(answer.starts_with("HTTP/1.1 200"));
    CHECK_EQ(field(answer, "delivered_to"), "2");
    CHECK_EQ(field(answer, "offset"), "1");
  }
  CHECK_EQ(types(alice->take()), "message");
  CHECK_EQ(types(bob->take()), "message");
}

TEST_CASE("a key has 1 to 64 bytes and comes once") {
  RealtimeWorld world;
  auto status = [&](const std::string& headers) { return publish(world, general, headers).status; };
  CHECK_EQ(status(fmt::format("Idempotency-Key: {}\r\n", std::string(64, 'k'))), 200);
  CHECK_EQ(status(fmt::format("Idempotency-Key: {}\r\n", std::string(65, 'k'))), 400);
  CHECK_EQ(status("Idempotency-Key: \r\n"), 400);
  CHECK_EQ(status("Idempotency-Key: a\r\nIdempotency-Key: a\r\n"), 400);
}

TEST_CASE("requests share the rates of their user with his connections, each topic of a broadcast for itself") {
  RealtimeOptions options;
  options.connection.user.frames = {.per_second = 1, .burst = 3};
  RealtimeWorld world{options};
  auto many = R"({"topics":["chat.a","chat.b","chat.c","chat.d"],"payload":1})";
  auto refused = ask_http(world, "POST", "/api/v1/broadcast", back_end, many);
  CHECK_EQ(refused.status, 429);
  CHECK_NE(refused.head.find("Retry-After: 1"), std::string::npos);
  CHECK_EQ(field(refused.body, "code"), "rate_limited");
  auto socket = world.connect_token(back_end);
  CHECK_EQ(types(world.exchange(socket, R"({"type":"ping"})")), "error");
  world.world.advance(1s);
  CHECK_EQ(publish(world, general).status, 200);
  CHECK_EQ(publish(world, general).status, 429);
  CHECK_EQ(publish(world, general, {}, "other,realtime:publish,topic:>:publish").status, 200);
}

TEST_CASE("a body over the limit of a frame, and a payload over that of its namespace, are 413") {
  RealtimeOptions options;
  options.connection.frame_bytes_max = 1000;
  NamespaceOptions small;
  small.payload_bytes_max = 10;
  options.settings =
      std::make_shared<const RealtimeSettings>(NamespaceOptions{}, RealtimeSettings::Namespaces{{"chat", small}});
  RealtimeWorld world{options};
  auto body = [](std::size_t bytes) {
    return fmt::format(R"({{"topic":"chat.a","payload":"{}"}})", std::string(bytes, 'x'));
  };
  CHECK_EQ(publish(world, body(8)).status, 200);
  CHECK_EQ(publish(world, body(9)).status, 413);
  CHECK_EQ(publish(world, body(2000)).status, 413);
}

}  // namespace
}  // namespace troupe::realtime
