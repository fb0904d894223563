// The authorization endpoint: what it asks the user, and what it tells the client.
#include <doctest/doctest.h>
#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

using namespace std::chrono_literals;

std::string address(const OauthWorld& oauth, std::string_view changes = "") {
  return "/oauth/authorize?" + oauth.authorization_query(oauth.web_shop, changes);
}

Reply sign_in(Browser& browser, const Reply& login, const Person& person) {
  return browser.follow(browser.submit(login, "/login", {{"username", person.name}, {"password", person.password}}));
}

TEST_CASE("a client or address that is not registered gets a page and no redirect (T1, T2, T6)") {
  OauthWorld oauth{{.seed = 1}};
  std::string same;
  for (auto changes : {"redirect_uri=https://evil.example/cb", "redirect_uri=https://shop.example/cb/",
                       "redirect_uri=https://shop.example/cb%3Fx=1", "client_id=c_nobody"}) {
    CAPTURE(changes);
    auto reply = Browser{oauth}.get(address(oauth, changes));
    CHECK_EQ(reply.status(), 400);
    CHECK_EQ(reply.header("location"), "");
    CHECK(reply.header("content-type").starts_with("text/html"));
    if (same.empty()) same = reply.body();
    CHECK_EQ(reply.body(), same);  // nobody can list our clients
  }
}

TEST_CASE("any other error goes to the client, with state and issuer (T10, T20, T22)") {
  OauthWorld oauth{{.seed = 2}};
  auto reply = Browser{oauth}.get(address(oauth, "code_challenge_method=plain"));
  CHECK_EQ(reply.status(), 303);
  CHECK(reply.header("location").starts_with("https://shop.example/cb?error=invalid_request"));
  CHECK_EQ(reply.location_query().get("state"), "s1");
  CHECK_EQ(reply.location_query().get("iss"), oauth.options().issuer);
}

TEST_CASE("a request may come by POST; a parameter in query and body comes twice (T7)") {
  OauthWorld oauth{{.seed = 3}};
  auto form = wire::parse_form(oauth.authorization_query(oauth.web_shop)).value();
  CHECK(Browser{oauth}.post("/oauth/authorize", form).header("location").starts_with("/login?flow="));
  Browser browser{oauth};
  web::Request request{.method = web::Method::post, .path = "/oauth/authorize", .query = "state=s2"};
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  request.body = wire::write_form(form);
  CHECK_EQ(oauth.send(std::move(request)).location_query().get("error"), "invalid_request");
}

TEST_CASE("prompt=none asks nobody anything (T70)") {
  OauthWorld oauth{{.seed = 4}};
  Browser browser{oauth};
  CHECK_EQ(browser.get(address(oauth, "prompt=none")).location_query().get("error"), "login_required");
  auto consent = sign_in(browser, browser.follow(browser.get(address(oauth))), alice);
  CHECK_EQ(browser.get(address(oauth, "prompt=none")).location_query().get("error"), "consent_required");
  browser.submit(consent, "/consent", {{"decision", "allow"}});
  CHECK(browser.get(address(oauth, "prompt=none")).location_query().get("code"));
}

TEST_CASE("a browser that asks for codes without end is told to come again, and another is not (T67)") {
  OauthWorld oauth{{.seed = 6, .oauth = {.session_codes_per_minute = 3}}};
  Browser flooding{oauth}, other{oauth};
  for (Browser* browser : {&flooding, &other}) {
    auto consent = sign_in(*browser, browser->follow(browser->get(address(oauth))), alice);
    if (!consent.location_query().get("code")) browser->submit(consent, "/consent", {{"decision", "allow"}});
  }
  for (int left = 2; left > 0; --left) CHECK(flooding.get(address(oauth, "prompt=none")).location_query().get("code"));
  const auto refused = flooding.get(address(oauth, "prompt=none")).location_query();
  CHECK_EQ(refused.get("error"), "temporarily_unavailable");
  CHECK_EQ(refused.get("state"), "s1");
  CHECK(other.get(address(oauth, "prompt=none")).location_query().get("code"));
  oauth.advance(20s);
  CHECK(flooding.get(address(oauth, "prompt=none")).location_query().get("code"));
}

TEST_CASE("prompt and max_age make the user act again, within the flow that asks for it") {
  OauthWorld oauth{{.seed = 5}};
  Browser browser{oauth};
  auto consent = sign_in(browser, browser.follow(browser.get(address(oauth))), alice);
  browser.submit(consent, "/consent", {{"decision", "allow"}});

  auto login = browser.follow(browser.get(address(oauth, "prompt=login&login_hint=alice")));
  CHECK(login.body().contains("name=\"username\" value=\"alice\""));
  auto back = browser.submit(login, "/login", {{"username", alice.name}, {"password", alice.password}});
  CHECK(back.location_query().get("code"));  // the consent is remembered

  CHECK(browser.get(address(oauth, "prompt=consent")).header("location").starts_with("/consent?flow="));
  CHECK(browser.get(address(oauth, "max_age=60")).location_query().get("code"));
  oauth.advance(61s);
  CHECK(browser.get(address(oauth, "max_age=60")).header("location").starts_with("/login?flow="));
}

TEST_CASE("a state comes back as it was sent, whatever it contains (T23)") {
  OauthWorld oauth{{.seed = 14}};
  constexpr auto state = "state=%0D%0ASet-Cookie%3A+x%3Dy%22%26%3C%C3%A4";
  auto reply = Browser{oauth}.get(address(oauth, std::string{state} + "&prompt=none"));
  CHECK_EQ(reply.location_query().get("state"), "\r\nSet-Cookie: x=y\"&<\xc3\xa4");
  CHECK_FALSE(reply.header("location").contains('\n'));
}

}  // namespace
}  // namespace troupe::oauth::test
