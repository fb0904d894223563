// Who asks too often, or with too much, is told so by each path in its own manner.
#include "troupe/oauth/endpoint/early_refusal.h"

#include <doctest/doctest.h>

#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth {
namespace {

using test::OauthWorld;

TEST_CASE("an address that asks too often gets an error of OAuth, a page, or what others answer") {
  struct Row {
    std::string_view path, type;
  };
  constexpr Row rows[] = {
      {"/oauth/token", "application/json"},
      {"/oauth/jwks", "application/json"},
      {"/oauth/authorize", "text/html"},
      {"/oauth/logout", "text/html"},
      {"/login", "text/html"},
      {"/consent", "text/html"},
      {"/account", "text/html"},
      {"/account/password", "text/html"},
      {"/accounts", ""},
      {"/admin/v1/users", ""},
      {"/ws", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    const auto told = too_many_requests({.path = std::string{row.path}});
    REQUIRE_EQ(told.has_value(), !row.type.empty());
    if (!told) continue;
    CHECK_EQ(told->status, 429);
    CHECK(told->headers.get("content-type")->starts_with(row.type));
    CHECK(told->headers.get("cache-control")->contains("no-store"));
  }
}

TEST_CASE("a body over the limit gets an error of OAuth, or a page, at the paths of the server, and nobody keeps it") {
  OauthWorld oauth{{.seed = 1}};
  struct Row {
    web::Method method;
    std::string_view path, type, says;
  };
  using enum web::Method;
  constexpr std::string_view error = R"({"error":"invalid_request","error_description":"The body is too large."})";
  constexpr Row rows[] = {
      {post, "/oauth/token", "application/json", error},
      {post, "/oauth/introspect", "application/json", error},
      {post, "/oauth/introspect/batch", "application/json", error},
      {post, "/oauth/revoke", "application/json", error},
      {post, "/oauth/userinfo", "application/json", error},
      {post, "/oauth/register", "application/json", error},
      {put, "/oauth/register/c_x", "application/json", error},
      {post, "/oauth/authorize", "text/html", "The body is too large."},
      {post, "/oauth/logout", "text/html", "The body is too large."},
      {post, "/login", "text/html", "The body is too large."},
      {post, "/consent", "text/html", "The body is too large."},
      {post, "/account/password", "text/html", "The body is too large."},
      {post, "/admin/v1/clients", "application/problem+json", "The body is over 64 KiB."},
      {patch, "/admin/v1/users/u_x", "application/problem+json", "The body is over 64 KiB."},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    const web::Response told =
        oauth.too_large({.method = row.method, .path = std::string{row.path}, .headers = {{"Accept-Language", "en"}}});
    CHECK_EQ(told.status, 413);
    CHECK(told.headers.get("content-type")->starts_with(row.type));
    CHECK_EQ(told.headers.get("cache-control"), "no-store");
    CHECK(told.body.view().contains(row.says));
  }
}

}  // namespace
}  // namespace troupe::oauth
