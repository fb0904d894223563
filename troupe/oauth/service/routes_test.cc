// Routes: every endpoint stands where the documents say, for its methods and no others.
#include "troupe/oauth/service/routes.h"

#include <doctest/doctest.h>

#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

TEST_CASE("an endpoint answers its methods, and names them to any other (T73)") {
  OauthWorld oauth;
  struct Row {
    const char* path;
    web::Method wrong;
    const char* allowed;
  };
  const Row rows[] = {
      {"/oauth/token", web::Method::get, "POST"},
      {"/oauth/introspect", web::Method::get, "POST"},
      {"/oauth/revoke", web::Method::get, "POST"},
      {"/oauth/jwks", web::Method::post, "GET"},
      {"/oauth/authorize", web::Method::put, "GET"},
      {"/oauth/userinfo", web::Method::delete_, "GET"},
      {"/login", web::Method::put, "POST"},
      {"/consent", web::Method::put, "POST"},
      {"/oauth/logout", web::Method::delete_, "POST"},
      {"/account", web::Method::post, "GET"},
      {"/account/password", web::Method::get, "POST"},
      {"/account/sessions", web::Method::get, "POST"},
      {"/account/applications", web::Method::get, "POST"},
      {"/oauth/pages.css", web::Method::post, "GET"},
      {"/.well-known/openid-configuration", web::Method::post, "GET"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    auto reply = oauth.send({.method = row.wrong, .path = row.path});
    CHECK_EQ(reply.status(), 405);
    CHECK(reply.header("allow").contains(row.allowed));
  }
  CHECK_EQ(oauth.send({.path = "/oauth/par"}).status(), 404);
}

}  // namespace
}  // namespace troupe::oauth::test
