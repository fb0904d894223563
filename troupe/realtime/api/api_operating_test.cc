// connections and users over HTTP: who is listed, and who is sent away.
#include "troupe/realtime/api/api.h"

#include <doctest/doctest.h>

#include <set>

#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using testing::ask_http;
using testing::field;
using testing::RealtimeWorld;

constexpr std::string_view admin = "admin,realtime:admin";

std::string read(RealtimeWorld& world, std::string_view target) {
  auto answer = ask_http(world, "GET", fmt::format("/api/v1/{}", target), admin);
  REQUIRE_EQ(answer.status, 200);
  return answer.body;
}

TEST_CASE("who may operate is said by a scope of its own") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  for (auto [method, target] : {std::pair{"GET", "connections"}, std::pair{"GET", "users"},
                                std::pair{"DELETE", "connections/x"}, std::pair{"DELETE", "users/alice/connections"}}) {
    CAPTURE(method);
    CAPTURE(target);
    auto path = fmt::format("/api/v1/{}", target);
    CHECK_EQ(ask_http(world, method, path, "").status, 401);
    auto refused = ask_http(world, method, path, "u,realtime:read,realtime:publish,topic:>:subscribe");
    CHECK_EQ(refused.status, 403);
    CHECK_NE(refused.body.find("`realtime:admin`"), std::string::npos);
  }
  CHECK_FALSE(alice->close_code().has_value());
}

TEST_CASE("all connections of all cores are listed once, however small the pages") {
  RealtimeWorld world;
  std::vector<testing::Socket> sockets;
  for (std::size_t i = 0; i < 5; ++i) sockets.push_back(world.connect(fmt::format("u{}", i), i % 2));
  world.exchange(sockets[0], R"({"type":"subscribe","topics":["a","b"]})");
  for (std::size_t limit : {1, 2, 3, 5, 100}) {
    CAPTURE(limit);
    std::multiset<std::string> users;
    std::string after;
    do {
      auto body = read(world, fmt::format("connections?limit={}{}", limit, after.empty() ? "" : "&after=" + after));
      for (auto at = body.find("{\"connection_id\""); at != std::string::npos;
           at = body.find("{\"connection_id\"", at + 1)) {
        auto one = std::string_view{body}.substr(at);
        users.insert(field(one, "user"));
        CHECK_EQ(field(one, "subscriptions"), field(one, "user") == "u0" ? "2" : "0");
      }
      after = field(body, "next");
    } while (!after.empty());
    CHECK_EQ(users, std::multiset<std::string>{"u0", "u1", "u2", "u3", "u4"});
  }
  for (auto after : {"x", "0", "2.1", "0.x", "-1.1"}) {
    CAPTURE(after);
    CHECK_EQ(ask_http(world, "GET", fmt::format("/api/v1/connections?after={}", after), admin).status, 400);
  }
}

TEST_CASE("users are listed with how many connections they have") {
  RealtimeWorld world;
  auto first = world.connect("bob", 0);
  auto second = world.connect("bob", 1);
  auto third = world.connect("alice", 1);
  auto page = read(world, "users?limit=1");
  CHECK_EQ(field(page, "count"), "2");
  CHECK_NE(page.find(R"({"user":"alice","connections":1})"), std::string::npos);
  auto rest = read(world, fmt::format("users?limit=1&after={}", field(page, "next")));
  CHECK_NE(rest.find(R"({"user":"bob","connections":2})"), std::string::npos);
  CHECK_EQ(field(rest, "next"), "");
}

TEST_CASE("an operator sends a connection away, or all of a user, and nobody else") {
  RealtimeWorld world;
  auto first = world.ask_for("/ws", "Authorization: Bearer bob\r\n", 1);
  auto id = field(first->take().at(0), "connection_id");
  auto second = world.connect("bob", 0);
  auto third = world.connect("bob", 1);
  auto other = world.connect("alice", 1);
  CHECK_EQ(ask_http(world, "DELETE", "/api/v1/connections/" + id, admin).status, 204);
  CHECK_EQ(first->close_code(), 1008);
  CHECK_FALSE(second->close_code().has_value());
  CHECK_EQ(ask_http(world, "DELETE", "/api/v1/connections/" + id, admin).status, 404);

  auto closed = ask_http(world, "DELETE", "/api/v1/users/bob/connections", admin);
  CHECK_EQ(closed.status, 200);
  CHECK_EQ(field(closed.body, "closed"), "2");
  CHECK_EQ(second->close_code(), 1008);
  CHECK_EQ(third->close_code(), 1008);
  CHECK_FALSE(other->close_code().has_value());
  CHECK_EQ(field(ask_http(world, "DELETE", "/api/v1/users/bob/connections", admin).body, "closed"), "0");
  CHECK_EQ(ask_http(world, "DELETE", "/api/v1/users/bob", admin).status, 404);
  CHECK_EQ(ask_http(world, "DELETE", "/api/v1/users//connections", admin).status, 404);
}

}  // namespace
}  // namespace troupe::realtime
