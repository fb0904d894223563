// Router: which handler a path finds, and what a client is told when none is there.
#include "troupe/web/router.h"

#include <doctest/doctest.h>

#include "troupe/web/response_stream.h"
#include "troupe/web/websocket_link.h"

namespace troupe::web {
namespace {

/// A router whose routes are told apart by their body limits.
Router routes(std::initializer_list<std::pair<Method, std::string>> list) {
  Router router;
  std::size_t number = 0;
  for (const auto& [method, pattern] : list) router.add(method, pattern, {}, {.body_bytes_max = ++number});
  return router;
}

/// The number of the route that was found, or the status of the ready response.
std::size_t found(const Router& router, Method method, std::string_view path) {
  auto match = router.match(method, path);
  if (const auto* route = std::get_if<const Route*>(&match)) return (*route)->options.body_bytes_max;
  if (const auto* response = std::get_if<Response>(&match)) return static_cast<std::size_t>(response->status);
  return 101;
}

TEST_CASE("a path finds the exact place first, then the longest pattern above it") {
  auto router =
      routes({{Method::get, "/"}, {Method::get, "/demo/*"}, {Method::get, "/demo/app/*"}, {Method::get, "/demo/x"}});
  CHECK_EQ(found(router, Method::get, "/"), 1);
  CHECK_EQ(found(router, Method::get, "/demo/"), 2);
  CHECK_EQ(found(router, Method::get, "/demo/index.html"), 2);
  CHECK_EQ(found(router, Method::get, "/demo/app/a/b"), 3);
  CHECK_EQ(found(router, Method::get, "/demo/x"), 4);
  CHECK_EQ(found(router, Method::get, "/demo/x/"), 2);
  CHECK_EQ(found(router, Method::get, "/demo"), 404);
  CHECK_EQ(found(router, Method::get, "/other"), 404);
  CHECK_EQ(found(routes({{Method::get, "/*"}}), Method::get, "/any/where"), 1);
}

TEST_CASE("HEAD is answered from GET, another method is told what there is") {
  auto router = routes({{Method::get, "/both"}, {Method::post, "/both"}, {Method::post, "/token"}});
  CHECK_EQ(found(router, Method::head, "/both"), 1);
  CHECK_EQ(found(router, Method::head, "/token"), 405);
  CHECK_EQ(found(router, Method::other, "/both"), 405);
  auto refused = std::get<Response>(router.match(Method::delete_, "/both"));
  CHECK_EQ(refused.headers.get("allow"), "GET, HEAD, POST, OPTIONS");
  CHECK_EQ(refused.headers.get("cache-control"), "no-store");
  CHECK_EQ(std::get<Response>(router.match(Method::get, "/nothing")).headers.get("cache-control"), "no-store");
  CHECK_EQ(std::get<Response>(router.match(Method::get, "/token")).headers.get("allow"), "POST, OPTIONS");
}

TEST_CASE("HEAD is refused where the route of GET says so") {
  Router router;
  router.add(Method::get, "/leave", {}, {.head = HeadRequests::refused});
  router.add(Method::post, "/leave", {});
  CHECK_EQ(found(router, Method::head, "/leave"), 405);
  CHECK_EQ(std::get<Response>(router.match(Method::head, "/leave")).headers.get("allow"), "GET, POST, OPTIONS");
  CHECK_EQ(std::get<Response>(router.match(Method::options, "/leave")).headers.get("allow"), "GET, POST, OPTIONS");
}

TEST_CASE("OPTIONS is answered from what was added, unless a route answers it") {
  auto router = routes({{Method::post, "/token"}, {Method::options, "/cors"}});
  CHECK_EQ(found(router, Method::options, "/token"), 204);
  CHECK_EQ(found(router, Method::options, "/cors"), 2);
  CHECK_EQ(found(router, Method::options, "*"), 204);
  CHECK_EQ(found(router, Method::options, "/nowhere"), 404);
}

TEST_CASE("a WebSocket's path is found by GET alone") {
  Router router;
  router.upgrade("/ws", [](Request) -> actor::Task<Upgrade> { co_return Response{}; });
  CHECK_EQ(found(router, Method::get, "/ws"), 101);
  CHECK_EQ(found(router, Method::post, "/ws"), 405);
}

TEST_CASE("a segment in braces stands for any one segment, behind exact places and before those above") {
  auto router = routes({{Method::get, "/items/{id}"},
                        {Method::post, "/items/{id}/parts"},
                        {Method::get, "/items/new"},
                        {Method::get, "/items/*"},
                        {Method::get, "/other/{id}"}});
  struct Row {
    Method method;
    const char* path;
    std::size_t wanted;
  };
  const Row rows[] = {
      {Method::get, "/items/a", 1},       {Method::post, "/items/a/parts", 2}, {Method::get, "/items/new", 3},
      {Method::get, "/items/a/b/c", 4},   {Method::get, "/items/", 4},         {Method::get, "/other/", 404},
      {Method::get, "/other/a/", 404},    {Method::get, "/other/a/b", 404},    {Method::get, "/other", 404},
      {Method::delete_, "/items/a", 405}, {Method::get, "/items/a/parts", 405}};
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CHECK_EQ(found(router, row.method, row.path), row.wanted);
  }
}

TEST_CASE("a router lists what was added, each once") {
  auto router =
      routes({{Method::post, "/b/{id}"}, {Method::get, "/b/{id}"}, {Method::get, "/a"}, {Method::get, "/c/*"}});
  router.stream("/d", [](Request) -> actor::Task<StreamAnswer> { co_return Response{}; });
  router.upgrade("/e", [](Request) -> actor::Task<Upgrade> { co_return Response{}; });
  std::string all;
  for (const RouteName& name : router.list()) {
    const char* kind = name.kind == RouteName::Kind::answer ? "" : name.kind == RouteName::Kind::stream ? "~" : "^";
    all += std::string{text(name.method)} + kind + name.pattern + " ";
  }
  CHECK_EQ(all, "GET/a GET/b/{id} POST/b/{id} GET/c/* GET~/d GET^/e ");
}

}  // namespace
}  // namespace troupe::web
