// The way in that all routes of the API share: token, scope, rates.
#include "troupe/realtime/api/caller.h"

#include <doctest/doctest.h>

#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using testing::ask_http;
using testing::field;
using testing::RealtimeWorld;

TEST_CASE("each call takes its own scope, and says which when it is not there") {
  struct Row {
    std::string_view method, target, scope;
  };
  constexpr Row rows[] = {
      {"POST", "publish", api::publish_scope},       {"POST", "broadcast", api::publish_scope},
      {"POST", "direct", api::publish_scope},        {"GET", "presence", api::read_scope},
      {"GET", "history", api::read_scope},           {"GET", "topics", api::read_scope},
      {"GET", "connections", api::admin_scope},      {"GET", "users", api::admin_scope},
      {"DELETE", "connections/x", api::admin_scope}, {"DELETE", "users/x/connections", api::admin_scope},
  };
  RealtimeWorld world;
  for (const Row& row : rows) {
    CAPTURE(row.target);
    auto path = fmt::format("/api/v1/{}", row.target);
    std::string others = "u,topic:>:subscribe,topic:>:publish";
    for (auto scope : {api::publish_scope, api::read_scope, api::admin_scope}) {
      if (scope != row.scope) others += fmt::format(",{}", scope);
    }
    auto refused = ask_http(world, row.method, path, others);
    CHECK_EQ(refused.status, 403);
    CHECK_EQ(field(refused.body, "code"), "forbidden");
    CHECK_NE(refused.body.find(fmt::format("`{}`", row.scope)), std::string::npos);
    CHECK_NE(refused.head.find(fmt::format("error=\"insufficient_scope\", scope=\"{}\"", row.scope)),
             std::string::npos);
    CHECK_EQ(ask_http(world, row.method, path, "").status, 401);
    CHECK_EQ(ask_http(world, row.method, path, "bad").status, 401);
    CHECK_EQ(ask_http(world, row.method, path, "later").status, 503);
    CHECK_NE(ask_http(world, row.method, path, fmt::format("u,{}", row.scope)).status, 403);
  }
}

TEST_CASE("the token of the API is in the header, nowhere else") {
  RealtimeWorld world;
  CHECK_EQ(ask_http(world, "GET", "/api/v1/topics?access_token=u,realtime:read", "").status, 401);
  CHECK_EQ(ask_http(world, "GET", "/api/v1/topics", "", "", "Authorization: Basic YTpi\r\n").status, 401);
}

TEST_CASE("requests of a user are limited together with his connections, and others' are not") {
  RealtimeOptions options;
  options.connection.user.frames = {.per_second = 1, .burst = 2};
  RealtimeWorld world{options};
  auto status = [&](std::string_view token) { return ask_http(world, "GET", "/api/v1/topics", token).status; };
  CHECK_EQ(status("u,realtime:read"), 200);
  CHECK_EQ(status("u,realtime:read"), 200);
  CHECK_EQ(status("u,realtime:read"), 429);
  CHECK_EQ(status("v,realtime:read"), 200);
}

}  // namespace
}  // namespace troupe::realtime
