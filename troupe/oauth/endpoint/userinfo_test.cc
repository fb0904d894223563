// Userinfo: what an access token lets its holder know about the user.
#include <doctest/doctest.h>
#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

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

TEST_CASE("userinfo by POST goes by the header where the body is no form") {
  OauthWorld oauth{{.seed = 8}};
  const auto access = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop)).at("access_token");
  const auto ask = [&](const char* type, const char* body, const std::string& token) {
    web::Request request{.method = web::Method::post, .path = "/oauth/userinfo"};
    if (*type != '\0') request.headers.add("Content-Type", type);
    if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
    request.body = body;
    return oauth.send(std::move(request));
  };
  constexpr auto form = "application/x-www-form-urlencoded";
  for (const auto& [type, body] : {std::pair{"application/json", "{}"}, {"text/plain", "%"}, {"", "x"}, {form, ""}}) {
    CAPTURE(type);
    CHECK_EQ(ask(type, body, access).at("preferred_username"), "alice");
    CHECK_EQ(ask(type, body, "").status(), 401);
  }
  CHECK_EQ(ask(form, "%", access).error(), "invalid_request");
}

TEST_CASE("no other token passes for an access token (T50)") {
  OauthWorld oauth{{.seed = 5}};
  auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  CHECK_EQ(oauth.userinfo(tokens.at("id_token")).status(), 401);
  CHECK_EQ(oauth.userinfo(tokens.at("refresh_token")).status(), 401);
}

TEST_CASE("a token that a client got for another server opens nothing here (T50)") {
  OauthWorld oauth{{.seed = 7, .oauth = {.resources = {"https://orders.example"}}}};
  const auto token_for = [&](const std::string& resources) {
    return oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop, "scope=openid" + resources))
        .at("access_token");
  };
  CHECK_EQ(oauth.userinfo(token_for("&resource=https://orders.example")).error(), "invalid_token");
  CHECK_EQ(oauth.userinfo(token_for("&resource=https://orders.example&resource=" + oauth.options().issuer)).status(),
           200);
  CHECK_EQ(oauth.userinfo(token_for("")).status(), 200);

  const auto own = [&](const char* scope) {
    return oauth
        .post_as(oauth.api, "/oauth/token",
                 {{"grant_type", "client_credentials"}, {"scope", scope}, {"resource", "https://orders.example"}})
        .at("access_token");
  };
  const auto ask = [&](std::string path, std::string type, std::string body, const std::string& token) {
    web::Request request{.method = web::Method::post,
                         .path = std::move(path),
                         .headers = {{"Authorization", "Bearer " + token}, {"Content-Type", std::move(type)}}};
    request.body = std::move(body);
    return oauth.send(std::move(request));
  };
  CHECK_EQ(ask("/oauth/introspect", "application/x-www-form-urlencoded", "token=x", own("introspect")).error(),
           "invalid_token");
  CHECK_EQ(ask("/oauth/register", "application/json", "{}", own("register")).error(), "invalid_token");
}

TEST_CASE("userinfo wants the scope openid (T59)") {
  OauthWorld oauth{{.seed = 6}};
  auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop, "scope=read"));
  auto reply = oauth.userinfo(tokens.at("access_token"));
  CHECK_EQ(reply.status(), 403);
  CHECK_EQ(reply.error(), "insufficient_scope");
  CHECK(reply.header("www-authenticate").contains("scope=\"openid\""));
}

}  // namespace
}  // namespace troupe::oauth::test
