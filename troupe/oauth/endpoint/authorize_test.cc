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

TEST_CASE("a stranger who begins sign-ins without end ends nobody else's") {
  OauthWorld oauth{{.seed = 33, .oauth = {.flows_max = 20}}};
  const auto begin_from = [&](const char* peer, const std::string& target) {
    const auto query = target.find('?');
    web::Request request{.path = target.substr(0, query), .query = target.substr(std::min(query, target.size()))};
    if (request.query.starts_with('?')) request.query.erase(0, 1);
    request.peer.ip = net::IpAddress::parse(peer).value();
    return oauth.send(std::move(request));
  };
  for (const std::string& target : {address(oauth), std::string{"/account"}}) {
    CAPTURE(target);
    Browser person{oauth};
    const auto login = person.follow(person.get(target));
    for (int i = 0; i < 40; ++i) CHECK_EQ(begin_from("198.51.100.7", target).status(), 303);
    CHECK_EQ(person.submit(login, "/login", {{"username", alice.name}, {"password", alice.password}}).status(), 303);
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
  Browser browser{oauth};
  auto led = browser.post("/oauth/authorize", form);
  CHECK_EQ(led.status(), 303);
  CHECK(browser.get(led.header("location")).header("location").starts_with("/login?flow="));
  CHECK(browser.post("/oauth/authorize", form).header("location").starts_with("/login?flow="));  // it is known now
  web::Request twice{.method = web::Method::post, .path = "/oauth/authorize", .query = "state=s2"};
  twice.headers.add("Content-Type", "application/x-www-form-urlencoded");
  twice.body = wire::write_form(form);
  CHECK_EQ(oauth.send(twice).location_query().get("error"), "invalid_request");  // and is not led on
  CHECK_EQ(browser.send(std::move(twice)).location_query().get("error"), "invalid_request");
}

TEST_CASE("a parameter that comes twice in a body is told to whom it is told by GET (T7)") {
  OauthWorld oauth{{.seed = 32}};
  Browser known{oauth}, bare{oauth};
  known.get(address(oauth));
  for (Browser* browser : {&known, &bare}) {
    auto form = wire::parse_form(oauth.authorization_query(oauth.web_shop)).value();
    form.add("nonce", "n2");
    auto back = browser->post("/oauth/authorize", form);
    CHECK(back.header("location").starts_with("https://shop.example/cb?error=invalid_request"));
    CHECK_EQ(back.location_query().get("state"), "s1");
    for (auto name : {"client_id", "redirect_uri"}) {  // nobody knows whose request this is
      auto doubtful = form;
      doubtful.add(name, std::string{*form.get(name)});
      auto page = browser->post("/oauth/authorize", doubtful);
      CHECK_EQ(page.status(), 400);
      CHECK_EQ(page.header("location"), "");
    }
  }
  web::Request json{.method = web::Method::post, .path = "/oauth/authorize"};
  json.headers.add("Content-Type", "application/json");
  json.body = "{}";
  CHECK_EQ(oauth.send(std::move(json)).status(), 400);
}

TEST_CASE("a client's POST, which comes without cookies, is led on to where they come along") {
  OauthWorld oauth{{.seed = 31}};
  Browser browser{oauth};
  browser.submit(sign_in(browser, browser.follow(browser.get(address(oauth))), alice), "/consent",
                 {{"decision", "allow"}});
  const auto form =
      wire::parse_form(oauth.authorization_query(oauth.web_shop, "scope=openid+read&prompt=none")).value();
  Browser bare{oauth};
  auto led = bare.post("/oauth/authorize", form, {{"Sec-Fetch-Site", "cross-site"}});
  CHECK_EQ(led.status(), 303);
  CHECK(led.header("location").starts_with("/oauth/authorize?"));
  CHECK(browser.get(led.header("location")).location_query().get("code").has_value());
  auto long_form = form;
  long_form.add("unknown", std::string(8000, 'x'));
  CHECK_EQ(bare.post("/oauth/authorize", long_form).location_query().get("error"), "login_required");
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
