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

constexpr const char* orders = "https://orders.example";
constexpr const char* stock = "https://stock.example";

/// A world with two resources; `server` is the server of the first.
struct ResourceWorld {
  explicit ResourceWorld(actor::test::Seed seed)
      : oauth{{.seed = seed, .oauth = {.resources = {orders, stock}}}},
        server{oauth.add({.name = "Orders",
                          .grant_types = {GrantType::client_credentials},
                          .scope = ScopeSet::parse("read").value(),
                          .resources = {orders}})} {}

  /// What the shop gets in Alice's name for these resources; with a refresh token.
  Reply tokens_for(const std::string& resources) {
    return oauth.redeem(oauth.web_shop,
                        oauth.authorize(alice, oauth.web_shop, "scope=read offline_access" + resources));
  }
  std::string token_for(const std::string& resources) { return tokens_for(resources).at("access_token"); }
  /// What the shop gets for itself.
  std::string own_token_for(const char* resource) {
    return oauth
        .post_as(oauth.opaque_shop, "/oauth/token",
                 {{"grant_type", "client_credentials"}, {"scope", "read"}, {"resource", resource}})
        .at("access_token");
  }

  OauthWorld oauth;
  ClientApp server;
};

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

TEST_CASE(
    "who shows a token and a client's proof beside it is refused, however good they are (RFC 6749, section 2.3)") {
  OauthWorld oauth{{.seed = 3}};
  const auto token = own_token(oauth, oauth.web_shop, "read");
  for (const auto* second : {"client_secret=wrong", "client_assertion=x", "client_assertion_type=x"}) {
    CAPTURE(second);
    web::Request request{.method = web::Method::post,
                         .path = "/oauth/introspect",
                         .headers = {{"Authorization", "Bearer " + own_token(oauth, oauth.api, "introspect")},
                                     {"Content-Type", "application/x-www-form-urlencoded"}}};
    request.body = "token=" + token + "&client_id=x&" + second;
    const auto refused = oauth.send(std::move(request));
    CHECK_EQ(refused.status(), 400);
    CHECK_EQ(refused.error(), "invalid_request");
  }
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

TEST_CASE("the server of a resource sees the access tokens that are for it, and no other (T52)") {
  ResourceWorld world{6};
  OauthWorld& oauth = world.oauth;
  const auto ask = [&](const ClientApp& client, const std::string& token) {
    return oauth.post_as(client, "/oauth/introspect", {{"token", token}});
  };
  const auto mine = world.tokens_for("&resource=https://orders.example&resource=https://stock.example");
  auto told = ask(world.server, mine.at("access_token"));
  CHECK_EQ(told.at("client_id"), oauth.web_shop.id.value());
  CHECK_EQ(told.at("username"), "alice");
  CHECK_EQ(ask(world.server, world.own_token_for(orders)).at("client_id"), oauth.opaque_shop.id.value());
  CHECK_EQ(ask(world.server, own_token(oauth, world.server, "read")).at("client_id"), world.server.id.value());
  CHECK_EQ(ask(oauth.other_shop, mine.at("access_token")).body(), R"({"active":false})");
  for (const std::string& other : {world.token_for("&resource=https://stock.example"), world.token_for(""),
                                   world.own_token_for(stock), mine.at("refresh_token"), std::string{"garbage"}}) {
    CHECK_EQ(ask(world.server, other).body(), R"({"active":false})");
  }
  oauth.post_as(oauth.web_shop, "/oauth/revoke", {{"token", mine.at("access_token")}});
  CHECK_EQ(ask(world.server, mine.at("access_token")).body(), R"({"active":false})");
}

TEST_CASE("the server of a resource asks by a batch, and by a token of its own, and sees the same (T52)") {
  ResourceWorld world{7};
  OauthWorld& oauth = world.oauth;
  const std::string mine = world.own_token_for(orders), other = world.own_token_for(stock);
  const std::string basic{oauth.token_request(world.server, {}).header("authorization")};
  const std::string bearer = "Bearer " + own_token(oauth, world.server, "read");
  for (const std::string& credentials : {basic, bearer}) {
    auto batch = ask_batch(oauth, R"({"tokens":[")" + other + R"(",")" + mine + R"("]})", credentials);
    REQUIRE_EQ(batch.status(), 200);
    const auto& results = *batch.json.find("results")->array();
    CHECK_EQ(wire::write_json(results[0]), R"({"active":false})");
    CHECK_EQ(*results[1].string_at("client_id"), oauth.opaque_shop.id.value());
  }
  web::Request single = oauth.token_request(world.server, {{"token", mine}}, "/oauth/introspect");
  single.headers.set("Authorization", bearer);
  CHECK_EQ(oauth.send(std::move(single)).at("client_id"), oauth.opaque_shop.id.value());
}

TEST_CASE("a token opens no more than it has: neither by the scope of its client, nor in a person's name (T52)") {
  ResourceWorld world{8};
  OauthWorld& oauth = world.oauth;
  const ClientApp both = oauth.add({.name = "Both",
                                    .redirect_uris = {"https://both.example/cb"},
                                    .grant_types = {GrantType::authorization_code, GrantType::client_credentials},
                                    .scope = ScopeSet::parse("read introspect").value(),
                                    .resources = {orders}});
  const std::string body =
      R"({"tokens":[")" + world.own_token_for(orders) + R"(",")" + world.own_token_for(stock) + R"("]})";
  const auto active_by = [&](const std::string& token) {
    auto reply = ask_batch(oauth, body, "Bearer " + token);
    std::vector<bool> active;
    REQUIRE_EQ(reply.status(), 200);
    for (const wire::Json& one : *reply.json.find("results")->array()) active.push_back(*one.find("active")->boolean());
    return active;
  };
  CHECK_EQ(active_by(own_token(oauth, both, "read")), std::vector{true, false});
  CHECK_EQ(active_by(own_token(oauth, both, "introspect")), std::vector{true, true});
  const auto in_her_name = oauth.redeem(both, oauth.authorize(alice, both, "scope=read")).at("access_token");
  CHECK_EQ(ask_batch(oauth, body, "Bearer " + in_her_name).error(), "insufficient_scope");
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
