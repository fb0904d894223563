// What the demo page's routes give.
#include "troupe/app/demo/demo.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

using namespace troupe;

namespace {

web::Response fetch(std::string_view path) {
  actor::test::World world{1};
  web::Router router;
  app::add_demo(router, {.client_id = "demo\"1", .scope = "openid"});
  const auto match = router.match(web::Method::get, path);
  if (const auto* refused = std::get_if<web::Response>(&match)) return *refused;
  return world.block_on(std::get<const web::Route*>(match)->handler({}));
}

}  // namespace

TEST_CASE("the page, its style and its scripts come with a policy that lets nothing foreign in") {
  for (const auto* path : {"/demo/", "/demo/demo.css", "/demo/demo.js", "/demo/troupe.js"}) {
    const auto response = fetch(path);
    CHECK_EQ(response.status, 200);
    CHECK_GT(response.body.size(), 100);
    CHECK(response.headers.get("Content-Security-Policy")->starts_with("default-src 'none'"));
  }
}

TEST_CASE("the page learns its client, escaped as JSON") {
  CHECK_EQ(fetch("/demo/client.json").body.view(), R"({"client_id":"demo\"1","scope":"openid"})");
}

TEST_CASE("who opens the server's address comes to the page") {
  const auto response = fetch("/");
  CHECK_EQ(response.status, 303);
  CHECK_EQ(response.headers.get("Location"), "/demo/");
}

TEST_CASE("nothing else stands below /demo/") { CHECK_EQ(fetch("/demo/other").status, 404); }
