// CORS: which pages of other origins may read the answers.
#include "troupe/oauth/endpoint/cors.h"

#include <doctest/doctest.h>
#include "troupe/oauth/sim/oauth_world.h"
#include "troupe/wire/url.h"

namespace troupe::oauth::test {
namespace {

using web::Method;

std::string origin_of(const ClientApp& client) { return wire::parse_url(client.redirect_uri)->origin(); }

TEST_CASE("a page of a public client may call what a client needs, without credentials; any other may not (T57)") {
  OauthWorld oauth{{.seed = 1}};
  struct Row {
    std::string origin;
    bool may;
  };
  const Row rows[] = {
      {origin_of(oauth.phone), true},
      {origin_of(oauth.web_shop), false},  // not in a browser
      {"https://evil.example", false},
      {"null", false},
      {origin_of(oauth.phone) + ".evil.example", false},
      {origin_of(oauth.phone) + "/", false},
      {std::string(5000, 'x'), false},
      {"", false},
  };
  for (const auto& [origin, may] : rows) {
    CAPTURE(origin);
    for (const auto* path : {"/oauth/token", "/oauth/revoke", "/oauth/userinfo"}) {
      CAPTURE(path);
      for (const auto method : {Method::options, Method::post}) {
        auto reply = oauth.send({.method = method, .path = path, .headers = {{"Origin", origin}}});
        CHECK_EQ(reply.header("access-control-allow-origin"), may ? origin : "");
        CHECK_EQ(reply.header("access-control-allow-credentials"), "");
        CHECK(reply.header("vary").contains("Origin"));
      }
      auto asked = oauth.send({.method = Method::options,
                               .path = path,
                               .headers = {{"Origin", origin}, {"Access-Control-Request-Method", "POST"}}});
      CHECK_EQ(asked.status(), 204);
      CHECK_EQ(asked.header("access-control-allow-methods").contains("POST"), may);
      CHECK_EQ(asked.header("access-control-allow-headers").contains("Authorization"), may);
    }
  }
}

TEST_CASE(
    "a refusal before an endpoint says nothing of anybody, and any page may read it where clients are pages (T57)") {
  OauthWorld oauth{{.seed = 4}};
  for (const auto* path : {"/oauth/token", "/oauth/revoke", "/oauth/userinfo"})
    CHECK_EQ(oauth.too_large({.method = Method::post, .path = path}).headers.get("access-control-allow-origin"), "*");
  for (const auto* path : {"/oauth/authorize", "/oauth/introspect", "/oauth/register", "/login", "/account/password"})
    CHECK_FALSE(oauth.too_large({.method = Method::post, .path = path}).headers.has("access-control-allow-origin"));
}

TEST_CASE("what people see, and introspection, are for no other page (T57)") {
  OauthWorld oauth{{.seed = 2}};
  for (const auto* path : {"/oauth/authorize", "/login", "/consent", "/oauth/logout", "/oauth/introspect"}) {
    for (const auto method : {Method::get, Method::options, Method::post}) {
      auto reply = oauth.send({.method = method, .path = path, .headers = {{"Origin", origin_of(oauth.phone)}}});
      CHECK_EQ(reply.header("access-control-allow-origin"), "");
    }
  }
}

TEST_CASE("while nobody can tell whose page it is, it may not") {
  OauthWorld oauth{{.seed = 3}};
  oauth.break_store();
  const web::Request asked{
      .method = Method::options, .path = "/oauth/token", .headers = {{"Origin", origin_of(oauth.phone)}}};
  CHECK_EQ(oauth.send(asked).header("access-control-allow-origin"), "");
  oauth.repair_store();
  CHECK_EQ(oauth.send(asked).header("access-control-allow-origin"), origin_of(oauth.phone));
}

}  // namespace
}  // namespace troupe::oauth::test
