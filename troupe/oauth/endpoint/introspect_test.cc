// Introspection: what a token stands for, for those who may know.
#include <doctest/doctest.h>
#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

TEST_CASE("introspection tells everything about a live token and nothing about any other (T52, T53)") {
  OauthWorld oauth{{.seed = 1}};
  auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  auto reply = oauth.introspect(tokens.at("access_token"));
  CHECK_EQ(reply.header("cache-control"), "no-store");
  CHECK_EQ(reply.at("client_id"), oauth.web_shop.id.value());
  CHECK_EQ(reply.at("token_type"), "Bearer");
  CHECK_EQ(reply.at("iss"), oauth.options().issuer);
  CHECK_EQ(reply.at("aud"), oauth.options().issuer);
  CHECK_NE(reply.at("sub"), "");
  CHECK_NE(reply.at("jti"), "");

  for (std::string token : {std::string{"garbage"}, std::string{"a.b.c"}, "at_" + std::string(67, 'A'),
                            tokens.at("id_token"), tokens.at("access_token") + "x"}) {
    auto nothing = oauth.introspect(token);
    CHECK_EQ(nothing.status(), 200);
    CHECK_EQ(nothing.body(), R"({"active":false})");
  }
}

TEST_CASE("who may not know a token learns nothing of it (T52)") {
  OauthWorld oauth{{.seed = 2}};
  auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  const wire::Form form{{"token", tokens.at("access_token")}};
  CHECK(oauth.post_as(oauth.web_shop, "/oauth/introspect", form).body().contains("\"active\":true"));
  CHECK_EQ(oauth.post_as(oauth.other_shop, "/oauth/introspect", form).body(), R"({"active":false})");
  CHECK_EQ(oauth.post_as(oauth.phone, "/oauth/introspect", form).status(), 401);
  ClientApp nobody{.id = ClientId{"c_nobody"}, .secret = "x"};
  CHECK_EQ(oauth.post_as(nobody, "/oauth/introspect", form).status(), 401);
  CHECK_EQ(oauth.post_as(oauth.api, "/oauth/introspect", {{"a", "b"}}).error(), "invalid_request");
}

}  // namespace
}  // namespace troupe::oauth::test
