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

}  // namespace
}  // namespace troupe::web
