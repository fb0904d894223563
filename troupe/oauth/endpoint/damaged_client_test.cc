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

}  // namespace
}  // namespace troupe::oauth::test
