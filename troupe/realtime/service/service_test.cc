// The doors: who is let in, by which token, from which page, and what is answered to everybody else.
#include "troupe/realtime/service/service.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/explore.h"
#include "troupe/realtime/service/door.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::field;
using testing::Frames;
using testing::RealtimeWorld;
using testing::types;

TEST_CASE("a token is found in the header, then in a subprotocol, then in the query") {
  RealtimeWorld world;
  auto user = [&](std::string_view target, std::string_view headers) {
    auto socket = world.ask_for(target, headers);
    auto frames = socket->take();
    return frames.empty() ? std::string{"nobody"} : field(frames[0], "user");
  };
  CHECK_EQ(user("/ws", "Authorization: Bearer a\r\n"), "a");
  CHECK_EQ(user("/ws", "authorization: bearer a\r\n"), "a");
  CHECK_EQ(user("/ws", "Sec-WebSocket-Protocol: troupe.v1, bearer.b\r\n"), "b");
  CHECK_EQ(user("/ws?access_token=c", ""), "c");
  CHECK_EQ(user("/ws?access_token=c", "Authorization: Bearer a\r\nSec-WebSocket-Protocol: troupe.v1, bearer.b\r\n"),
           "a");
  CHECK_EQ(user("/ws?access_token=c", "Sec-WebSocket-Protocol: bearer.b\r\n"), "b");
}

TEST_CASE("to be turned away by a limit or a drain is no failure; that nobody answers who could let in, is one") {
  const auto refusal_by = [](std::optional<AdmitRefusal> why) {
    return turned_away({}, actor::Failure<AdmitRefusal>{.domain = why}).refusal;
  };
  CHECK(refusal_by(AdmitRefusal::full) == web::Refusal::limit);
  CHECK(refusal_by(AdmitRefusal::too_many_of_user) == web::Refusal::limit);
  CHECK(refusal_by(AdmitRefusal::draining) == web::Refusal::draining);
  CHECK(refusal_by(std::nullopt) == web::Refusal::none);
}

TEST_CASE("only the native subprotocol is echoed, never a token") {
  RealtimeWorld world;
  auto socket = world.ask_for("/ws", "Sec-WebSocket-Protocol: bearer.secret, troupe.v1\r\n");
  CHECK_NE(socket->head().find("troupe.v1"), std::string::npos);
  CHECK_EQ(socket->head().find("secret"), std::string::npos);
}

TEST_CASE("a bad token is 401, one that cannot be verified now 503") {
  RealtimeWorld world;
  auto bad = world.ask_for("/ws", "Authorization: Bearer bad\r\n");
  CHECK_EQ(bad->status(), 401);
  CHECK_NE(bad->head().find("invalid_token"), std::string::npos);
  CHECK_EQ(world.ask_for("/ws", "Authorization: Bearer later\r\n")->status(), 503);
}

TEST_CASE("what can be no token is a bad token, not the lack of one") {
  RealtimeOptions options;
  // So the lack of one would be let in.
  options.settings =
      std::make_shared<const RealtimeSettings>(NamespaceOptions{}, RealtimeSettings::Namespaces{}, Anonymous::allowed);
  RealtimeWorld world{options};
  struct Row {
    std::string_view target, headers;
    int status;
  };
  constexpr Row rows[] = {
      {"/ws", "", 101},
      {"/ws?other=1", "Sec-WebSocket-Protocol: troupe.v1\r\n", 101},
      {"/ws", "AUTHORIZATION: bearer   a\r\n", 101},
      {"/ws", "Authorization: Bearer\r\n", 401},
      {"/ws", "Authorization: Bearer \r\n", 401},
      {"/ws", "Authorization:\r\n", 401},
      {"/ws", "Authorization: Bearer a b\r\n", 401},
      {"/ws", "Authorization: Bearera\r\n", 401},
      {"/ws", "Authorization: a\r\n", 401},
      {"/ws", "Authorization: Basic YTpi\r\n", 401},
      {"/ws", "Authorization: Bearer a\r\nAuthorization: Bearer a\r\n", 401},
      {"/ws?access_token=a", "Authorization: Bearer\r\n", 401},
      {"/ws", "Sec-WebSocket-Protocol: troupe.v1, bearer.\r\n", 401},
      {"/ws?access_token=", "", 401},
      {"/ws?access_token=a&access_token=a", "", 401},
      {"/ws?access_token=%zz", "", 401},
  };
  for (const Row& row : rows) {
    CAPTURE(row.target);
    CAPTURE(row.headers);
    auto socket = world.ask_for(row.target, row.headers);
    CHECK_EQ(socket->status(), row.status);
    if (row.status == 401) CHECK_NE(socket->head().find("invalid_token"), std::string::npos);
  }
}

TEST_CASE("a page of another origin is refused before the upgrade") {
  RealtimeOptions options;
  options.allowed_origins = {"https://app.example"};
  RealtimeWorld world{options};
  auto status = [&](std::string_view origin) {
    return world.ask_for("/ws", fmt::format("Authorization: Bearer a\r\nOrigin: {}\r\n", origin))->status();
  };
  CHECK_EQ(status("https://app.example"), 101);
  CHECK_EQ(status("http://test"), 101);  // its own
  CHECK_EQ(status("https://evil.example"), 403);
  CHECK_EQ(status("https://app.example.evil.example"), 403);
  CHECK_EQ(status("null"), 403);
}

TEST_CASE("past the connection limit the answer is 503 with Retry-After, and a place that is left is taken again") {
  RealtimeOptions options;
  options.connections_max = 2;
  RealtimeWorld world{options};
  auto first = world.connect("a", 0);
  auto second = world.connect("b", 1);
  auto third = world.ask_for("/ws", "Authorization: Bearer c\r\n");
  CHECK_EQ(third->status(), 503);
  CHECK_NE(third->head().find("Retry-After: 5"), std::string::npos);
  first->vanish();
  world.world.run_until_idle();
  CHECK_EQ(world.ask_for("/ws", "Authorization: Bearer c\r\n")->status(), 101);
}

TEST_CASE("one address has its own limit") {
  RealtimeOptions options;
  options.connections_by_address_max = 1;
  RealtimeWorld world{options};
  auto first = world.connect("a");
  CHECK_EQ(world.ask_for("/ws", "Authorization: Bearer b\r\n")->status(), 503);
}

TEST_CASE("who brought a token may speak as soon as the handshake is answered") {
  actor::test::explore({.schedules = 30}, [&](actor::test::Seed seed) {
    RealtimeWorld world{{}, seed};
    testing::TestSocket socket{world.networks[0]->connect({{}, 80}), "/ws",
                               fmt::format("Authorization: Bearer {}\r\n", testing::token_of_user("alice"))};
    REQUIRE(world.world.run_until([&] { return socket.status() == 101; }, 1s));
    socket.say(R"({"type":"subscribe","topics":["a"]})");
    world.world.run_until_idle();
    CHECK_EQ(types(socket.take()), "welcome subscription_confirmed");
  });
}

TEST_CASE("without a token the first frame must authenticate, within five seconds") {
  RealtimeWorld world;
  auto socket = world.ask_for("/ws", "");
  CHECK_EQ(socket->status(), 101);
  auto refused = world.exchange(socket, R"({"type":"subscribe","id":"1","topics":["a"]})");
  REQUIRE_EQ(types(refused), "error");
  CHECK_EQ(field(refused[0], "code"), "unauthorized");
  CHECK_EQ(field(refused[0], "id"), "1");
  auto wrong = world.exchange(socket, R"({"type":"authenticate","id":"2","token":"bad"})");
  CHECK_EQ(field(wrong[0], "code"), "unauthorized");
  auto frames = world.exchange(
      socket, fmt::format(R"({{"type":"authenticate","id":"3","token":"{}"}})", testing::token_of_user("alice")));
  CHECK_EQ(types(frames), "authenticated welcome");
  CHECK_EQ(types(world.exchange(socket, R"({"type":"subscribe","topics":["a"]})")), "subscription_confirmed");
  world.world.advance(10s);
  CHECK_FALSE(socket->close_code().has_value());

  auto silent = world.ask_for("/ws", "");
  world.world.advance(4900ms);
  CHECK_FALSE(silent->close_code().has_value());
  world.world.advance(200ms);
  CHECK_EQ(silent->close_code(), 1008);
}

TEST_CASE("who brings no token is let in anonymously where that is configured") {
  RealtimeOptions options;
  NamespaceOptions defaults{.anonymous_grants = {*Grant::parse("topic:public.>:subscribe")}};
  options.settings =
      std::make_shared<const RealtimeSettings>(defaults, RealtimeSettings::Namespaces{}, Anonymous::allowed);
  RealtimeWorld world{options};
  auto socket = world.ask_for("/ws", "");
  auto frames = socket->take();
  REQUIRE_EQ(types(frames), "welcome");
  CHECK(field(frames[0], "user").starts_with("anon:"));
  CHECK_EQ(types(world.exchange(socket, R"({"type":"subscribe","topics":["public.news"]})")), "subscription_confirmed");
  CHECK_EQ(types(world.exchange(socket, R"({"type":"subscribe","topics":["chat.general"]})")), "error");
}

TEST_CASE("a token permits what its scopes say and nothing else") {
  RealtimeWorld world;
  auto socket = world.connect_token("bob,topic:chat.*:subscribe,topic:chat.general:publish");
  auto code = [&](std::string_view json) {
    auto frames = world.exchange(socket, json);
    REQUIRE_EQ(frames.size(), 1);
    return field(frames[0], "type") == "error" ? field(frames[0], "code") : field(frames[0], "type");
  };
  CHECK_EQ(code(R"({"type":"subscribe","id":"1","topics":["chat.x","chat.*"]})"), "subscription_confirmed");
  CHECK_EQ(code(R"({"type":"subscribe","id":"1","topics":["chat.y","news"]})"), "forbidden");
  CHECK_EQ(code(R"({"type":"subscribe","id":"1","topics":["chat.>"]})"), "forbidden");
  CHECK_EQ(code(R"({"type":"subscribe","id":"1","topics":["$user.alice"]})"), "forbidden");
  CHECK_EQ(code(R"({"type":"publish","id":"1","topic":"chat.x","payload":1})"), "forbidden");
  CHECK_EQ(code(R"({"type":"publish","id":"1","topic":"$user.alice","payload":1})"), "forbidden");
  CHECK_EQ(code(R"({"type":"publish","id":"1","topic":"system.x","payload":1})"), "forbidden");
  CHECK_EQ(code(R"({"type":"history","id":"1","topic":"news","limit":1})"), "forbidden");
  CHECK_EQ(code(R"({"type":"direct","id":"1","user":"alice","payload":1})"), "forbidden");
  auto info = world.exchange(socket, R"({"type":"info"})");
  CHECK_EQ(field(info[0], "subscriptions"), "2");  // a refused frame subscribes to nothing
}

TEST_CASE("a fresh token replaces the old one and takes away what it no longer permits") {
  RealtimeWorld world;
  auto socket = world.connect_token("bob,topic:>:subscribe");
  world.exchange(socket, R"({"type":"subscribe","topics":["a","b"]})");
  auto frames = world.exchange(socket, R"({"type":"authenticate","id":"1","token":"bob,topic:a:subscribe"})");
  REQUIRE_EQ(types(frames), "authenticated unsubscribed");
  CHECK_NE(frames[1].find(R"("topics":["b"])"), std::string::npos);
  auto other = world.exchange(socket, R"({"type":"authenticate","id":"2","token":"alice"})");
  CHECK_EQ(field(other[0], "code"), "forbidden");
}

TEST_CASE("who closes while a token is verified stays who it was, and the others go on") {
  struct Row {
    std::string_view headers, first;
  };
  const Row rows[] = {
      {"Authorization: Bearer alice,topic:>:subscribe\r\n", ""},
      {"", ""},  // anonymous
      {"", R"({"type":"authenticate","token":"alice"})"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.headers);
    CAPTURE(row.first);
    RealtimeOptions options;
    if (row.first.empty())
      options.settings =
          std::make_shared<RealtimeSettings>(NamespaceOptions{}, RealtimeSettings::Namespaces{}, Anonymous::allowed);
    RealtimeWorld world{options};
    auto other = world.connect("carol");
    for (int i = 0; i < 20; ++i) {
      auto socket = world.ask_for("/ws", row.headers);
      if (!row.first.empty()) socket->say(row.first);
      socket->say(fmt::format(R"({{"type":"authenticate","token":"bob{}"}})", i));
      socket->send(wire::Opcode::close, wire::close_payload(1000, ""));
      world.world.run_until_idle();
      CHECK(socket->is_closed());
      CHECK_EQ(types(world.exchange(other, R"({"type":"info"})")), "info");
    }
  }
}

TEST_CASE("children of the supervisor go on after a fault, save where their tables cannot be trusted") {
  auto decide = system_supervision().decide;
  CHECK(decide(std::make_exception_ptr(std::bad_alloc{})) == actor::Directive::resume);
  CHECK(decide(std::make_exception_ptr(RoutingTableCorrupted{"x"})) == actor::Directive::restart);
  CHECK(decide(std::make_exception_ptr(ConfigurationError{"x"})) == actor::Directive::restart);
}

TEST_CASE("echo is there only where it is configured, and sends back text and binary up to its own limit") {
  RealtimeWorld without;
  CHECK_EQ(without.ask_for("/echo", "")->status(), 404);
  RealtimeOptions options;
  options.echo = true;
  RealtimeWorld world{options, 1, {.buffer_bytes = 64 << 20}};
  auto socket = world.ask_for("/echo", "");
  CHECK_EQ(socket->status(), 101);
  for (std::size_t size : {0, 1, 125, 126, 65535, 65536, 2 << 20}) {
    std::string text(size, 'x');
    socket->send(wire::Opcode::binary, text);
    world.world.run_until_idle();
    CHECK_EQ(socket->take(), Frames{text});
  }
}

TEST_CASE("echo keeps up with a slow reader without losing a byte") {
  RealtimeOptions options;
  options.echo = true;
  RealtimeWorld world{options, 1, {.buffer_bytes = 256 * 1024}};
  auto socket = world.ask_for("/echo", "");
  socket->stop_reading();
  for (int i = 0; i < 20; ++i) socket->say(std::string(10'000, static_cast<char>('a' + i)));
  world.world.run_until_idle();
  socket->read_again();
  world.world.run_until_idle();
  auto frames = socket->take();
  REQUIRE_EQ(frames.size(), 20);
  for (int i = 0; i < 20; ++i)
    CHECK_EQ(frames[static_cast<std::size_t>(i)], std::string(10'000, static_cast<char>('a' + i)));
}

}  // namespace
}  // namespace troupe::realtime
