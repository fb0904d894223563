// Signing out: by a genuine ID token, or after asking the user.
#include <doctest/doctest.h>
#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

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
