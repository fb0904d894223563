// Introspection, revocation, userinfo, discovery and sign-out, under bad input and attack.
#include "doctest/doctest.h"
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

TEST_CASE("a client takes back its own tokens and no others (T54)") {
  OauthWorld oauth{{.seed = 3}};
  auto access = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop)).at("access_token");
  const wire::Form form{{"token", access}};
  auto foreign = oauth.post_as(oauth.other_shop, "/oauth/revoke", form);
  CHECK_EQ(foreign.status(), 400);
  CHECK_EQ(oauth.post_as(oauth.phone, "/oauth/revoke", form).status(), 200);  // a public one is told nothing
  CHECK(oauth.is_active(access));

  CHECK_EQ(oauth.post_as(oauth.web_shop, "/oauth/revoke", {{"token", "unknown"}}).status(), 200);
  CHECK_EQ(oauth.post_as(oauth.web_shop, "/oauth/revoke", {{"a", "b"}}).error(), "invalid_request");
  auto own = oauth.post_as(oauth.web_shop, "/oauth/revoke", {{"token", access}, {"token_type_hint", "magic"}});
  CHECK_EQ(own.status(), 200);
  CHECK_EQ(own.body(), "");
  CHECK_FALSE(oauth.is_active(access));
}

TEST_CASE("userinfo takes a token in one place, by its header or form (T58)") {
  OauthWorld oauth{{.seed = 4}};
  auto access = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop)).at("access_token");
  auto ask = [&](web::Method method, std::string query, std::string body, std::string authorization) {
    web::Request request{.method = method, .path = "/oauth/userinfo", .query = std::move(query)};
    if (!body.empty()) request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    if (!authorization.empty()) request.headers.add("Authorization", std::move(authorization));
    request.body = std::move(body);
    return oauth.send(std::move(request));
  };
  using web::Method;
  CHECK_EQ(ask(Method::get, "", "", "Bearer " + access).status(), 200);
  CHECK_EQ(ask(Method::get, "", "", "bearer " + access).status(), 200);
  CHECK_EQ(ask(Method::post, "", "access_token=" + access, "").status(), 200);
  CHECK_EQ(ask(Method::get, "access_token=" + access, "", "").status(), 400);
  CHECK_EQ(ask(Method::post, "", "access_token=" + access, "Bearer " + access).status(), 400);
  auto none = ask(Method::get, "", "", "");
  CHECK_EQ(none.status(), 401);
  CHECK_FALSE(none.header("www-authenticate").contains("error"));
  auto wrong = ask(Method::get, "", "", "Bearer x");
  CHECK_EQ(wrong.status(), 401);
  CHECK(wrong.header("www-authenticate").contains("error=\"invalid_token\""));
}

TEST_CASE("no other token passes for an access token (T50)") {
  OauthWorld oauth{{.seed = 5}};
  auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  CHECK_EQ(oauth.userinfo(tokens.at("id_token")).status(), 401);
  CHECK_EQ(oauth.userinfo(tokens.at("refresh_token")).status(), 401);
}

TEST_CASE("userinfo wants the scope openid (T59)") {
  OauthWorld oauth{{.seed = 6}};
  auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop, "scope=read"));
  auto reply = oauth.userinfo(tokens.at("access_token"));
  CHECK_EQ(reply.status(), 403);
  CHECK_EQ(reply.error(), "insufficient_scope");
  CHECK(reply.header("www-authenticate").contains("scope=\"openid\""));
}

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

TEST_CASE("a client that shows the session's ID token signs the user out and has them back") {
  OauthWorld oauth{{.seed = 10}};
  Browser browser{oauth};
  auto address = "/oauth/authorize?" + oauth.authorization_query(oauth.web_shop, "scope=openid+read");
  auto page = browser.follow(browser.get(address));
  page = browser.follow(browser.submit(page, "/login", {{"username", alice.name}, {"password", alice.password}}));
  auto back = browser.submit(page, "/consent", {{"decision", "allow"}});
  auto tokens = oauth.redeem(oauth.web_shop, std::string{*back.location_query().get("code")});

  auto hint = "id_token_hint=" + tokens.at("id_token");
  auto out = browser.get("/oauth/logout?" + hint + "&state=x&post_logout_redirect_uri=https://shop.example/bye");
  CHECK_EQ(out.header("location"), "https://shop.example/bye?state=x");
  CHECK_FALSE(browser.cookies.contains("troupe_session"));
  CHECK_FALSE(oauth.is_active(tokens.at("access_token")));
  auto evil = browser.get("/oauth/logout?" + hint + "&post_logout_redirect_uri=https://evil.example/");
  CHECK_EQ(evil.header("location"), "");  // T25
}

TEST_CASE("nobody is signed out by a link or another site's form (T68)") {
  OauthWorld oauth{{.seed = 11}};
  Browser browser{oauth};
  auto login = browser.follow(browser.get("/oauth/authorize?" + oauth.authorization_query(oauth.web_shop)));
  browser.submit(login, "/login", {{"username", alice.name}, {"password", alice.password}});
  auto question = browser.get("/oauth/logout?id_token_hint=garbage&post_logout_redirect_uri=https://shop.example/bye");
  CHECK_EQ(question.status(), 200);
  CHECK(question.body().contains("Sign out?"));
  CHECK_EQ(browser.post("/oauth/logout", {{"csrf", "x"}}).status(), 403);
  CHECK(browser.cookies.contains("troupe_session"));
  CHECK_EQ(browser.submit(question, "/oauth/logout", {}).status(), 200);
  CHECK_FALSE(browser.cookies.contains("troupe_session"));
}

}  // namespace
}  // namespace troupe::oauth::test
