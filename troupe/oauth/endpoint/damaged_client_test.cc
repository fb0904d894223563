// What is told at the endpoints of a client whose row was damaged; and that its users sign out all the same.
#include <doctest/doctest.h>

#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

/// The client cannot be read any more, and everybody has noticed.
void damage(OauthWorld& oauth, const ClientId& id) {
  oauth.disk().transact(
      [&](store::Transaction& t) { t.run("UPDATE clients SET scope = '\"' WHERE id = ?1", {id.value()}); });
  oauth.advance(std::chrono::seconds{1});
}

/// Signs alice in by the shop and gives the tokens that it got.
Reply sign_in(OauthWorld& oauth, Browser& browser) {
  auto page = browser.get("/oauth/authorize?" + oauth.authorization_query(oauth.web_shop, "scope=openid+read"));
  page = browser.submit(browser.follow(page), "/login", {{"username", alice.name}, {"password", alice.password}});
  page = browser.follow(page);
  if (page.status() == 200) page = browser.submit(page, "/consent", {{"decision", "allow"}});
  return oauth.redeem(oauth.web_shop, std::string{page.location_query().get("code").value_or("")});
}

std::string link_out(wire::Form parameters) {
  parameters.add("post_logout_redirect_uri", "https://shop.example/bye");
  return "/oauth/logout?" + wire::write_form(parameters);
}

bool is_out(const Browser& browser, const Reply& answer) {
  return answer.status() == 200 && answer.header("location").empty() && !browser.cookies.contains("troupe_session");
}

TEST_CASE("users of a client whose row is damaged sign out by its link, and there is no way back") {
  OauthWorld oauth{{.seed = 1}};
  Browser by_name{oauth}, by_token{oauth}, asked{oauth};
  sign_in(oauth, by_name);
  const std::string hint = sign_in(oauth, by_token).at("id_token");
  sign_in(oauth, asked);
  const std::string named = link_out({{"client_id", oauth.web_shop.id.value()}});
  const Reply early = asked.get(named);
  damage(oauth, oauth.web_shop.id);
  CHECK(is_out(by_token, by_token.get(link_out({{"id_token_hint", hint}}))));
  const Reply question = by_name.get(named);
  REQUIRE_EQ(question.status(), 200);
  CHECK(is_out(by_name, by_name.submit(question, "/oauth/logout", {})));
  CHECK(is_out(asked, asked.submit(early, "/oauth/logout", {})));  // damaged between question and answer
}

/// Asks with what the token opens.
Reply ask(OauthWorld& oauth, web::Method method, std::string path, std::string body, const std::string& token) {
  web::Request request{.method = method, .path = std::move(path)};
  if (!body.empty()) request.headers.add("Content-Type", "application/json");
  request.headers.add("Authorization", "Bearer " + token);
  request.body = std::move(body);
  return oauth.send(std::move(request));
}

TEST_CASE("a flow of a client whose row is damaged ends on a page that does not say to try again") {
  OauthWorld oauth{{.seed = 3}};
  Browser browser{oauth};
  damage(oauth, oauth.web_shop.id);
  const auto page = browser.get("/oauth/authorize?" + oauth.authorization_query(oauth.web_shop));
  CHECK_EQ(page.status(), 500);
  CHECK_EQ(page.header("location"), "");
  CHECK_EQ(page.header("retry-after"), "");
}

TEST_CASE("the server of a resource whose row is damaged is not told to ask again") {
  const char* orders = "https://orders.example";
  OauthWorld oauth{{.seed = 4, .oauth = {.resources = {orders}}}};
  const ClientApp server = oauth.add({.name = "Orders",
                                      .grant_types = {GrantType::client_credentials},
                                      .scope = ScopeSet::parse("read").value(),
                                      .resources = {orders}});
  const std::string token =
      oauth.post_as(server, "/oauth/token", {{"grant_type", "client_credentials"}, {"scope", "read"}})
          .at("access_token");
  damage(oauth, server.id);
  const auto refused = ask(oauth, web::Method::post, "/oauth/introspect/batch", R"({"tokens":["x"]})", token);
  CHECK_EQ(refused.status(), 500);
  CHECK_EQ(refused.error(), "server_error");
  CHECK_EQ(refused.header("retry-after"), "");
}

TEST_CASE("a client that manages itself is told that its row is damaged, and may still go") {
  OauthWorld oauth{{.seed = 5, .oauth = {.registration = Registration::open}}};
  const std::string body = R"({"redirect_uris":["https://new.example/cb"]})";
  web::Request request{.method = web::Method::post, .path = "/oauth/register"};
  request.headers.add("Content-Type", "application/json");
  request.body = body;
  const Reply made = oauth.send(std::move(request));
  REQUIRE_EQ(made.status(), 201);
  const std::string path = "/oauth/register/" + made.at("client_id");
  const std::string token = made.at("registration_access_token");
  damage(oauth, ClientId{made.at("client_id")});
  for (const web::Method method : {web::Method::get, web::Method::put}) {
    const auto refused = ask(oauth, method, path, method == web::Method::put ? body : "", token);
    CHECK_EQ(refused.status(), 500);
    CHECK_EQ(refused.error(), "server_error");
    CHECK_EQ(ask(oauth, method, path, "", "wrong").status(), 401);  // nobody else is told
  }
  CHECK_EQ(ask(oauth, web::Method::delete_, path, "", token).status(), 204);
}

}  // namespace
}  // namespace troupe::oauth::test
