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

/// A token of the client itself.
std::string own_token(OauthWorld& oauth, const ClientApp& client, std::string scope) {
  return oauth.post_as(client, "/oauth/token", {{"grant_type", "client_credentials"}, {"scope", std::move(scope)}})
      .at("access_token");
}

Reply ask_batch(OauthWorld& oauth, std::string body, std::string authorization, std::string type = "application/json") {
  web::Request request{.method = web::Method::post,
                       .path = "/oauth/introspect/batch",
                       .headers = {{"Authorization", std::move(authorization)}, {"Content-Type", std::move(type)}}};
  request.body = std::move(body);
  return oauth.send(std::move(request));
}

TEST_CASE("the bearer of the scope introspect may know every token, the bearer of another none (T52)") {
  OauthWorld oauth{{.seed = 3}};
  const auto token = own_token(oauth, oauth.web_shop, "read");
  const auto ask = [&](const std::string& bearer) {
    web::Request request{
        .method = web::Method::post,
        .path = "/oauth/introspect",
        .headers = {{"Authorization", "Bearer " + bearer}, {"Content-Type", "application/x-www-form-urlencoded"}}};
    request.body = "token=" + token;
    return oauth.send(std::move(request));
  };
  CHECK_EQ(ask(own_token(oauth, oauth.api, "introspect")).at("client_id"), oauth.web_shop.id.value());
  auto refused = ask(token);
  CHECK_EQ(refused.status(), 403);
  CHECK_EQ(refused.error(), "insufficient_scope");
  CHECK_EQ(ask("nothing").status(), 401);
}

TEST_CASE("a batch tells of each token in turn what introspection tells") {
  OauthWorld oauth{{.seed = 4}};
  const auto good = own_token(oauth, oauth.web_shop, "read");
  const auto bearer = "Bearer " + own_token(oauth, oauth.api, "introspect");
  auto reply = ask_batch(oauth, R"({"tokens":["garbage",")" + good + R"("]})", bearer);
  REQUIRE_EQ(reply.status(), 200);
  CHECK_EQ(reply.header("cache-control"), "no-store");
  const auto& results = *reply.json.find("results")->array();
  REQUIRE_EQ(results.size(), 2);
  CHECK_EQ(wire::write_json(results[0]), R"({"active":false})");
  CHECK_EQ(wire::write_json(results[1]), wire::write_json(oauth.introspect(good).json));
}

TEST_CASE("a batch that is none is refused, and says why") {
  OauthWorld oauth{{.seed = 5}};
  const auto bearer = "Bearer " + own_token(oauth, oauth.api, "introspect");
  std::string many = R"({"tokens":["x")";
  for (int i = 0; i < 256; ++i) many += R"(,"x")";
  for (const std::string& body :
       {std::string{}, std::string{"[]"}, std::string{R"({"tokens":"x"})"}, std::string{R"({"tokens":[]})"},
        std::string{R"({"tokens":[1]})"}, std::string{R"({"tokens":[""]})"},
        std::string{R"({"tokens":["x"],"more":1})"}, many + "]}"}) {
    CAPTURE(body);
    auto reply = ask_batch(oauth, body, bearer);
    CHECK_EQ(reply.status(), 400);
    CHECK_EQ(reply.error(), "invalid_request");
  }
  CHECK_EQ(ask_batch(oauth, R"({"tokens":["x"]})", bearer, "text/plain").status(), 400);
  CHECK_EQ(ask_batch(oauth, R"({"tokens":["x"]})", "Bearer x").status(), 401);
}

}  // namespace
}  // namespace troupe::oauth::test
