// What requests leave in the audit trail: which decision, why, and under which id of the request.
#include <doctest/doctest.h>

#include <algorithm>

#include "troupe/oauth/actor/audit.h"
#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

/// The events of that request as "kind reason", oldest first.
std::vector<std::string> told(OauthWorld& oauth, std::string_view request) {
  std::vector<std::string> lines;
  for (const AuditEvent& event : oauth.events())
    if (event.request == request) lines.push_back(event.reason.empty() ? event.kind : event.kind + ' ' + event.reason);
  return lines;
}

Reply send(OauthWorld& oauth, web::Request request, std::string id) {
  request.request_id = std::move(id);
  return oauth.send(std::move(request));
}

using Lines = std::vector<std::string>;

TEST_CASE("a token of a client itself is issued with an event that names request, client and token") {
  OauthWorld oauth{{.seed = 1}};
  const wire::Form form{{"grant_type", "client_credentials"}, {"scope", "read"}};
  auto tokens = send(oauth, oauth.token_request(oauth.web_shop, form), "r1");
  REQUIRE_EQ(tokens.status(), 200);
  CHECK_EQ(told(oauth, "r1"), Lines{"token_issued client_credentials"});
  const AuditEvent event = oauth.events().back();
  CHECK_EQ(event.client, oauth.web_shop.id);
  CHECK_EQ(event.token->text(), oauth.introspect(tokens.at("access_token")).at("jti"));
}

TEST_CASE("a code and what comes of it are told with the grant that they are of") {
  OauthWorld oauth{{.seed = 2}};
  const std::string code = oauth.authorize(alice, oauth.phone);
  const wire::Form form{{"grant_type", "authorization_code"},
                        {"code", code},
                        {"redirect_uri", oauth.phone.redirect_uri},
                        {"code_verifier", std::string{OauthWorld::verifier}}};
  auto tokens = send(oauth, oauth.token_request(oauth.phone, form), "redeem");
  REQUIRE_EQ(tokens.status(), 200);
  CHECK_EQ(told(oauth, "redeem"), Lines{"code_redeemed", "token_issued authorization_code"});
  const auto family = oauth.events().back().family;
  REQUIRE(family.has_value());

  const wire::Form refresh{{"grant_type", "refresh_token"}, {"refresh_token", tokens.at("refresh_token")}};
  CHECK_EQ(send(oauth, oauth.token_request(oauth.phone, refresh), "refresh").status(), 200);
  CHECK_EQ(told(oauth, "refresh"), Lines{"refresh_token_used"});
  oauth.advance(std::chrono::minutes{5});
  CHECK_EQ(send(oauth, oauth.token_request(oauth.phone, refresh), "reuse").status(), 400);
  CHECK_EQ(told(oauth, "reuse"), Lines{"refresh_token_reuse used_before"});
  CHECK_EQ(send(oauth, oauth.token_request(oauth.phone, refresh), "over").status(), 400);
  CHECK_EQ(told(oauth, "over"), Lines{"refresh_refused grant_is_over"});
  CHECK_EQ(send(oauth, oauth.token_request(oauth.phone, form), "replay").status(), 400);

  int of_family = 0;
  for (const AuditEvent& event : oauth.events()) of_family += event.family == family ? 1 : 0;
  CHECK_EQ(of_family, 5);  // made, redeemed, issued, used, reused
}

TEST_CASE("a refused client is told by the reason that it does not learn itself") {
  OauthWorld oauth{{.seed = 3}};
  const wire::Form form{{"grant_type", "client_credentials"}};
  struct Row {
    const char* request;
    ClientApp client;
    const char* reason;
  };
  const Row rows[] = {
      {"r1", {ClientId{"c_nobody"}, "x", ""}, "client_refused unknown_client"},
      {"r2", {oauth.web_shop.id, "wrong", ""}, "client_refused wrong_secret"},
      {"r3", {oauth.web_shop.id, "", ""}, "client_refused another_method"},
      {"r4", {oauth.phone.id, "x", ""}, "client_refused another_method"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.reason);
    CHECK_EQ(send(oauth, oauth.token_request(row.client, form), row.request).status(), 401);
    CHECK_EQ(told(oauth, row.request), Lines{row.reason});
    CHECK_EQ(oauth.events().back().client, row.client.id);
  }
}

TEST_CASE("a client that asks for more than it may have is told of in the trail, by the request") {
  OauthWorld oauth{{.seed = 3}};
  struct Row {
    const char* request;
    wire::Form form;
    const char* reason;
  };
  const Row rows[] = {
      {"s1", {{"grant_type", "client_credentials"}, {"scope", "admin"}}, "token_refused wider_scope"},
      {"s2",
       {{"grant_type", "client_credentials"}, {"resource", "https://other.example"}},
       "token_refused another_target"},
      {"s3",
       {{"grant_type", "authorization_code"}, {"code", "x"}, {"code_verifier", "short"}},
       "token_refused pkce_failed"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.reason);
    CHECK_EQ(send(oauth, oauth.token_request(oauth.web_shop, row.form), row.request).status(), 400);
    CHECK_EQ(told(oauth, row.request), Lines{row.reason});
    CHECK_EQ(oauth.events().back().client, oauth.web_shop.id);
  }
  CHECK_EQ(
      send(oauth, oauth.token_request(oauth.api, {{"grant_type", "authorization_code"}, {"code", "x"}}), "s4").error(),
      "unauthorized_client");
  CHECK_EQ(told(oauth, "s4"), Lines{"token_refused another_grant"});
}

TEST_CASE("an id that nobody would write is refused without being kept, and a flood of refusals is only counted") {
  OauthWorld oauth{{.seed = 4}};
  const wire::Form form{{"grant_type", "client_credentials"}};
  CHECK_EQ(oauth.post_as({ClientId{"c_\n\x1b[2J"}, "x", ""}, "/oauth/token", form).status(), 401);
  CHECK_FALSE(oauth.events().back().client.has_value());
  oauth.advance(std::chrono::seconds{2});
  const auto before = oauth.events().size();
  std::vector<web::Request> flood(100, oauth.token_request({oauth.web_shop.id, "wrong", ""}, form));
  for (const Reply& reply : oauth.send_all(std::move(flood))) CHECK_EQ(reply.status(), 401);
  CHECK_LE(oauth.events().size() - before, 2 * RefusalBudget::noted_in_a_second);
  oauth.advance(std::chrono::seconds{2});
  CHECK_EQ(oauth.post_as({oauth.web_shop.id, "wrong", ""}, "/oauth/token", form).status(), 401);
  CHECK(oauth.events().back().reason.contains("only counted"));
}

TEST_CASE("sign-ins that fail, a denial and its reason stand in the trail, without names and passwords") {
  OauthWorld oauth{{.seed = 5}};
  Browser browser{oauth};
  auto login = browser.follow(browser.get("/oauth/authorize?" + oauth.authorization_query(oauth.web_shop)));
  browser.submit(login, "/login", {{"username", "nobody"}, {"password", "guess of the day"}});
  CHECK_EQ(oauth.events().back().reason, "unknown_user");
  browser.submit(login, "/login", {{"username", "alice"}, {"password", "guess of the day"}});
  CHECK_EQ(oauth.events().back().reason, "wrong_password");
  auto consent =
      browser.follow(browser.submit(login, "/login", {{"username", alice.name}, {"password", alice.password}}));
  auto back = browser.submit(consent, "/consent", {{"decision", "deny"}});
  CHECK_EQ(back.location_query().get("error"), "access_denied");
  const AuditEvent denied = oauth.events().back();
  CHECK_EQ(denied.kind, "consent_denied");
  CHECK_EQ(denied.client, oauth.web_shop.id);
  CHECK(denied.user.has_value());
  for (const AuditEvent& event : oauth.events()) {
    for (const char* secret : {"alice", "nobody", "guess"}) CHECK_FALSE(event.reason.contains(secret));
  }
}

TEST_CASE("a name that was guessed too often is not looked at, and the trail says so") {
  OauthWorld oauth{{.seed = 6}};
  Browser browser{oauth};
  auto login = browser.follow(browser.get("/oauth/authorize?" + oauth.authorization_query(oauth.web_shop)));
  int status = 400;
  for (int i = 0; i < 30 && status == 400; ++i)
    status = browser.submit(login, "/login", {{"username", "alice"}, {"password", "guess"}}).status();
  CHECK_EQ(status, 429);
  CHECK_EQ(oauth.events().back().kind, "login_refused");
  CHECK_EQ(oauth.events().back().reason, "slow_down");
}

TEST_CASE("refused registrations are told by their error") {
  OauthWorld oauth{{.seed = 7}};
  const auto enrol = [&](std::string body, const std::string& bearer, std::string id) {
    web::Request request{.method = web::Method::post, .path = "/oauth/register"};
    request.headers.add("Content-Type", "application/json");
    if (!bearer.empty()) request.headers.add("Authorization", "Bearer " + bearer);
    request.body = std::move(body);
    return send(oauth, std::move(request), std::move(id)).status();
  };
  CHECK_EQ(enrol("{}", "", "r1"), 401);
  CHECK_EQ(told(oauth, "r1"), Lines{"registration_refused no_token"});
  CHECK_EQ(enrol("{}", "garbage", "r2"), 401);
  CHECK_EQ(told(oauth, "r2"), Lines{"registration_refused invalid_token"});
  const auto token =
      oauth.post_as(oauth.api, "/oauth/token", {{"grant_type", "client_credentials"}, {"scope", "register"}})
          .at("access_token");
  CHECK_EQ(enrol(R"({"redirect_uris":["javascript:x"]})", token, "r3"), 400);
  CHECK_EQ(told(oauth, "r3"), Lines{"registration_refused invalid_redirect_uri"});
}

TEST_CASE(
    "who shows a token of another client, to take it back or to look at it, stands in the trail, and whose it is") {
  OauthWorld oauth{{.seed = 9}};
  const auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  const std::string jti = oauth.introspect(tokens.at("access_token")).at("jti");
  const std::string whose = " another_client " + oauth.web_shop.id.value();
  struct Row {
    const char* request;
    const ClientApp& client;
    const char* path;
    int status;
    std::string told;
  };
  const Row rows[] = {
      {"r1", oauth.other_shop, "/oauth/revoke", 400, "revocation_refused" + whose},
      {"r2", oauth.phone, "/oauth/revoke", 200, "revocation_refused" + whose},
      {"r3", oauth.other_shop, "/oauth/introspect", 200, "introspection_refused" + whose},
  };
  for (const Row& row : rows) {
    const wire::Form form{{"token", tokens.at("access_token")}};
    CHECK_EQ(send(oauth, oauth.token_request(row.client, form, row.path), row.request).status(), row.status);
    oauth.advance(std::chrono::seconds{2});
    CHECK_EQ(told(oauth, row.request), Lines{row.told});
    const AuditEvent event = oauth.events().back();
    CHECK_EQ(event.client, row.client.id);
    CHECK_EQ(event.token->text(), jti);
    CHECK(event.family.has_value());
  }
  const auto before = oauth.events().size();
  const wire::Form form{{"token", tokens.at("access_token")}};
  std::vector<web::Request> flood(100, oauth.token_request(oauth.other_shop, form, "/oauth/introspect"));
  for (const Reply& reply : oauth.send_all(std::move(flood))) CHECK_EQ(reply.status(), 200);
  oauth.advance(std::chrono::seconds{2});
  CHECK_LE(oauth.events().size() - before, 4 * RefusalBudget::noted_in_a_second);
}

TEST_CASE("who shows a dead code or refresh token over and over fills no trail, and is counted") {
  OauthWorld oauth{{.seed = 10}};
  const std::string code = oauth.authorize(alice, oauth.phone);
  const auto tokens = oauth.redeem(oauth.phone, code);
  const std::string shown = tokens.at("refresh_token");
  CHECK_EQ(oauth.post_as(oauth.phone, "/oauth/revoke", {{"token", shown}}).status(), 200);
  const std::string unused = oauth.authorize(alice, oauth.phone);
  const wire::Form rows[] = {
      {{"grant_type", "refresh_token"}, {"refresh_token", shown}},
      {{"grant_type", "authorization_code"},
       {"code", unused},
       {"redirect_uri", oauth.phone.redirect_uri},
       {"code_verifier", std::string(43, 'x')}},
  };
  for (const wire::Form& form : rows) {
    oauth.advance(std::chrono::seconds{2});
    const auto before = oauth.events().size();
    std::vector<web::Request> flood(200, oauth.token_request(oauth.phone, form));
    for (const Reply& reply : oauth.send_all(std::move(flood))) CHECK_EQ(reply.error(), "invalid_grant");
    oauth.advance(std::chrono::seconds{2});
    CHECK_LE(oauth.events().size() - before, 4 * RefusalBudget::noted_in_a_second);
    // The members of a pool have a budget each, and codes and families have one owner.
    for (int i = 0; i < 10; ++i) CHECK_EQ(oauth.send(oauth.token_request(oauth.phone, form)).status(), 400);
    oauth.advance(std::chrono::seconds{2});
    const auto events = oauth.events();
    CHECK(std::ranges::any_of(events, [&](const AuditEvent& event) {
      return event.kind.ends_with("_refused") && event.client == oauth.phone.id && event.token &&
             event.reason.contains("only counted");
    }));
  }
}

TEST_CASE("introspections are not in the trail") {
  OauthWorld oauth{{.seed = 8}};
  auto tokens = oauth.post_as(oauth.web_shop, "/oauth/token", {{"grant_type", "client_credentials"}});
  const auto before = oauth.events().size();
  CHECK(oauth.is_active(tokens.at("access_token")));
  CHECK_EQ(oauth.events().size(), before);
}

}  // namespace
}  // namespace troupe::oauth::test
