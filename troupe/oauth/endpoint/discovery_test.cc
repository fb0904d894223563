// Discovery and the key set: the same for everybody, from the configuration alone.
#include "troupe/oauth/endpoint/discovery.h"

#include <doctest/doctest.h>
#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

TEST_CASE("discovery says what there is, from the configuration alone (T74)") {
  OauthWorld oauth{{.seed = 7, .oauth = {.issuer = "https://as.example"}}};
  for (auto path : {"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}) {
    auto reply = oauth.send({.path = path, .headers = {{"Host", "evil.example"}, {"X-Forwarded-Host", "evil"}}});
    CHECK_EQ(reply.status(), 200);
    CHECK_EQ(reply.at("issuer"), "https://as.example");
    CHECK_EQ(reply.at("token_endpoint"), "https://as.example/oauth/token");
    CHECK_FALSE(reply.body().contains("evil"));
    CHECK_EQ(reply.header("access-control-allow-origin"), "*");  // T57
    auto again = oauth.send({.path = path, .headers = {{"If-None-Match", reply.header("etag")}}});
    CHECK_EQ(again.status(), 304);
  }
}

TEST_CASE("an issuer with a path has its documents where both standards look for them (T74)") {
  OauthWorld oauth{{.seed = 8, .oauth = {.issuer = "https://as.example/tenant"}}};
  CHECK_EQ(oauth.send({.path = "/tenant/.well-known/openid-configuration"}).status(), 200);
  CHECK_EQ(oauth.send({.path = "/.well-known/oauth-authorization-server/tenant"}).status(), 200);
}

TEST_CASE("the published keys are public parts only") {
  OauthWorld oauth{{.seed = 9}};
  auto reply = oauth.send({.path = "/oauth/jwks"});
  REQUIRE_EQ(reply.status(), 200);
  CHECK_EQ(reply.header("cache-control"), "public, max-age=900");
  for (const wire::Json& key : *reply.json.find("keys")->array()) {
    for (auto name : {"d", "p", "q", "k"}) CHECK_EQ(key.find(name), nullptr);
    CHECK_EQ(*key.string_at("use"), "sig");
  }
}

}  // namespace
}  // namespace troupe::oauth::test
