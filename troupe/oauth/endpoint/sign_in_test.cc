// Signing in and consenting, in browsers that keep cookies, and what others may try.
#include "troupe/oauth/endpoint/sign_in.h"

#include <doctest/doctest.h>
#include "troupe/oauth/endpoint/cookies.h"
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

TEST_CASE("who denies sends the client away empty-handed") {
  OauthWorld oauth{{.seed = 6}};
  Browser browser{oauth};
  auto consent = sign_in(browser, browser.follow(browser.get(address(oauth))), alice);
  auto back = browser.submit(consent, "/consent", {{"decision", "deny"}});
  CHECK_EQ(back.location_query().get("error"), "access_denied");
  CHECK_FALSE(back.location_query().get("code"));
}

TEST_CASE("what was agreed to once lets no client pass unseen that others could be (RFC 8252, section 8.6)") {
  struct Row {
    ClientAuthMethod method;
    const char* redirect_uri;
    bool passes;
  };
  const Row rows[] = {
      {ClientAuthMethod::client_secret, "https://app.example/cb", true},
      {ClientAuthMethod::client_secret, "http://127.0.0.1/cb", true},
      {ClientAuthMethod::none, "https://app.example/cb", true},
      {ClientAuthMethod::none, "http://127.0.0.1/cb", false},
      {ClientAuthMethod::none, "com.example.app:/cb", false},
  };
  OauthWorld oauth{{.seed = 6}};
  Browser browser{oauth};
  sign_in(browser, browser.follow(browser.get(address(oauth))), alice);
  for (const auto& row : rows) {
    CAPTURE(text(row.method));
    CAPTURE(row.redirect_uri);
    const ClientApp app = oauth.add({.name = "App",
                                     .auth_method = row.method,
                                     .redirect_uris = {row.redirect_uri},
                                     .scope = ScopeSet::parse("openid profile offline_access read").value()});
    const std::string target = "/oauth/authorize?" + oauth.authorization_query(app);
    auto agreed = browser.submit(browser.follow(browser.get(target)), "/consent", {{"decision", "allow"}});
    CHECK(agreed.location_query().get("code"));
    auto again = browser.get(target);
    CHECK_EQ(again.location_query().get("code").has_value(), row.passes);
    CHECK_EQ(again.header("location").starts_with("/consent"), !row.passes);
    Browser other{oauth};  // to sign in does not say what is allowed to whom
    auto after_login = other.submit(other.follow(other.get(target)), "/login",
                                    {{"username", alice.name}, {"password", alice.password}});
    CHECK_EQ(after_login.location_query().get("code").has_value(), row.passes);
    auto silent = browser.get(target + "&prompt=none");
    CHECK_EQ(silent.location_query().get("error").value_or(""), row.passes ? "" : "consent_required");
  }
}

TEST_CASE("a wrong name and a wrong password look the same (T65)") {
  OauthWorld oauth{{.seed = 7}};
  Browser browser{oauth};
  auto login = browser.follow(browser.get(address(oauth)));
  auto wrong = browser.submit(login, "/login", {{"username", "alice"}, {"password", "guess"}});
  CHECK_EQ(wrong.status(), 400);
  CHECK(wrong.body().contains("The user name or the password is wrong."));
  CHECK_EQ(browser.cookies.size(), 1);  // no session

  Browser other{oauth};
  login = other.follow(other.get(address(oauth)));
  auto unknown = other.submit(login, "/login", {{"username", "nobody"}, {"password", "guess"}});
  CHECK_EQ(unknown.status(), 400);
  CHECK(unknown.body().contains("The user name or the password is wrong."));
  CHECK_EQ(other.submit(login, "/login", {{"username", "alice"}, {"password", alice.password}}).status(), 303);
}

TEST_CASE("a forged, foreign or replayed form changes nothing (T26)") {
  OauthWorld oauth{{.seed = 8}};
  Browser browser{oauth};
  auto login = browser.follow(browser.get(address(oauth)));
  const wire::Form right{{"username", alice.name}, {"password", alice.password}};

  Browser attacker{oauth};  // has a flow of its own, and none of the victim's cookies
  auto foreign = attacker.follow(attacker.get(address(oauth)));
  CHECK_EQ(attacker.submit(login, "/login", right).status(), 403);
  CHECK_EQ(browser.submit(foreign, "/login", right).status(), 403);
  auto forged = right;
  forged.add("csrf", "x");
  CHECK_EQ(browser.submit(login, "/login", forged).status(), 403);
  CHECK_EQ(browser.post("/login", right).status(), 403);

  auto consent = sign_in(browser, login, alice);
  CHECK_EQ(browser.submit(login, "/login", right).status(), 403);  // its token is spent
  CHECK_EQ(browser.get("/consent?decision=allow").status(), 400);  // a link cannot consent
  auto back = browser.submit(consent, "/consent", {{"decision", "allow"}});
  CHECK(back.location_query().get("code"));
  CHECK_EQ(browser.submit(consent, "/consent", {{"decision", "allow"}}).status(), 403);
}

/// Where the page of a step that is done leads on; "" where it is another page.
std::string way_on(const Reply& page) {
  constexpr std::string_view mark = "<p><a href=\"";
  std::string_view html = page.body();
  if (!html.contains("This step is done already")) return "";
  CHECK_EQ(page.status(), 403);
  html.remove_prefix(html.find(mark) + mark.size());
  std::string way{html.substr(0, html.find('"'))};
  for (std::size_t at = 0; (at = way.find("&amp;", at)) != std::string::npos; ++at) way.erase(at + 1, 4);
  CHECK_EQ(page.header("refresh"), "0; url=" + way);  // by itself
  return way;
}

TEST_CASE("who clicks twice on a page arrives, whether the second click comes at once or later") {
  OauthWorld oauth{{.seed = 14}};
  const wire::Form right{{"username", alice.name}, {"password", alice.password}};
  const wire::Form yes{{"decision", "allow"}};
  Browser browser{oauth};
  auto login = browser.follow(browser.get(address(oauth)));
  auto consent = browser.follow(browser.submit_twice(login, "/login", right));
  CHECK(consent.body().contains("Allow"));
  CHECK_EQ(way_on(browser.submit(login, "/login", right)).substr(0, 14), "/consent?flow=");

  CHECK(browser.submit(consent, "/consent", yes).location_query().get("code"));
  const auto again = browser.submit(consent, "/consent", yes);
  CHECK_EQ(again.status(), 403);
  CHECK(browser.get(way_on(again)).location_query().get("code"));

  Browser other{oauth};  // where nothing is to be agreed to any more, the code goes out at once
  login = other.follow(other.get(address(oauth)));
  CHECK_EQ(way_on(other.submit(consent, "/consent", yes)), "");  // of another browser's flow nothing is said
  const auto back = other.submit_twice(login, "/login", right);
  CHECK_EQ(oauth.redeem(oauth.web_shop, std::string{back.location_query().get("code").value_or("")}).status(), 200);
  CHECK(other.get(way_on(other.submit(login, "/login", right))).location_query().get("code"));

  Browser member{oauth};
  login = member.follow(member.get("/account"));
  CHECK_EQ(member.submit_twice(login, "/login", right).header("location"), "/account");
  CHECK_EQ(way_on(member.submit(login, "/login", right)), "/account");
}

TEST_CASE("a form that another site sends is refused whatever it contains (T26)") {
  OauthWorld oauth{{.seed = 9}};
  Browser browser{oauth};
  browser.follow(browser.get(address(oauth)));
  for (auto site : {"cross-site", "same-site", "none"}) {
    auto reply = browser.post("/login", {{"username", "alice"}}, {{"Sec-Fetch-Site", site}});
    CHECK_EQ(reply.status(), 403);
  }
}

TEST_CASE("two tabs are two flows, and both arrive (T27)") {
  OauthWorld oauth{{.seed = 10}};
  Browser browser{oauth};
  auto first = browser.follow(browser.get(address(oauth, "state=one")));
  auto second = browser.follow(browser.get(address(oauth, "state=two")));
  auto second_consent = sign_in(browser, second, alice);
  auto first_consent = sign_in(browser, first, alice);
  auto one = browser.submit(first_consent, "/consent", {{"decision", "allow"}});
  auto two = browser.submit(second_consent, "/consent", {{"decision", "allow"}});
  CHECK_EQ(one.location_query().get("state"), "one");
  CHECK_EQ(two.location_query().get("state"), "two");
  CHECK(one.location_query().get("code"));
  CHECK(two.location_query().get("code"));
}

TEST_CASE("what a page asked one person is agreed by nobody else who signs in in another tab meanwhile (T27)") {
  for (const auto* decision : {"allow", "deny"}) {
    OauthWorld oauth{{.seed = 13}};
    Browser browser{oauth};
    sign_in(browser, browser.follow(browser.get(address(oauth))), alice);
    const auto asked = browser.follow(browser.get(address(oauth, "state=mine")));
    REQUIRE(asked.body().contains(alice.name));
    sign_in(browser, browser.follow(browser.get(address(oauth, "prompt=login"))), bob);
    const auto again = browser.submit(asked, "/consent", {{"decision", decision}});
    CHECK_EQ(again.status(), 303);
    CHECK(again.header("location").starts_with("/consent?flow="));
    const auto page = browser.follow(again);
    REQUIRE_EQ(page.status(), 200);
    CHECK(page.body().contains(bob.name));
    const auto back = browser.submit(page, "/consent", {{"decision", decision}});
    CHECK_EQ(back.location_query().get("state"), "mine");
  }
}

TEST_CASE("signing in changes the session's cookie, and the old one is void (T29)") {
  OauthWorld oauth{{.seed = 11}};
  Browser browser{oauth};
  sign_in(browser, browser.follow(browser.get(address(oauth))), alice);
  auto before = browser.cookies;
  sign_in(browser, browser.follow(browser.get(address(oauth, "prompt=login"))), alice);
  CHECK_NE(browser.cookies.at("troupe_session"), before.at("troupe_session"));
  Browser thief{oauth};
  thief.cookies = before;
  CHECK_EQ(thief.get(address(oauth, "prompt=none")).location_query().get("error"), "login_required");
}

TEST_CASE("cookies are bound to this host where the issuer is https (T30)") {
  OauthWorld oauth{{.seed = 12, .oauth = {.issuer = "https://as.example"}}};
  auto reply = oauth.send({.path = "/oauth/authorize", .query = oauth.authorization_query(oauth.web_shop)});
  auto cookie = reply.header("set-cookie");
  CHECK(cookie.starts_with("__Host-troupe_browser="));
  for (auto attribute : {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"}) CHECK(cookie.contains(attribute));
  CHECK_FALSE(cookie.contains("Domain"));
}

TEST_CASE("a sign-in makes the browser known to the account, by a cookie that is bound to this host (T64)") {
  OauthWorld oauth{{.seed = 17, .oauth = {.issuer = "https://as.example"}}};
  Browser browser{oauth};
  auto login = browser.follow(browser.get(address(oauth)));
  const auto refused = browser.submit(login, "/login", {{"username", alice.name}, {"password", "guess"}});
  const auto entered = browser.submit(refused, "/login", {{"username", alice.name}, {"password", alice.password}});
  const auto device_cookie = [](const Reply& reply) {
    for (const auto& [name, value] : reply.http.headers)
      if (name == "Set-Cookie" && value.starts_with("__Host-troupe_device=")) return value;
    return std::string{};
  };
  CHECK_EQ(device_cookie(refused), "");
  for (auto attribute : {"Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=7776000"})
    CHECK(device_cookie(entered).contains(attribute));
}

TEST_CASE("strangers who guess keep the owner out of no browser that is known (T64)") {
  OauthWorld oauth{{.seed = 18}};
  Browser owner{oauth}, stranger{oauth};
  sign_in(owner, owner.follow(owner.get(address(oauth))), alice);
  owner.cookies.erase("troupe_session");
  auto page = stranger.follow(stranger.get(address(oauth)));
  for (int i = 0; i < 40; ++i) {  // until the wait is half a minute
    page = stranger.submit(page, "/login", {{"username", alice.name}, {"password", "guess"}});
    oauth.advance(1s);
  }
  REQUIRE_EQ(page.status(), 429);
  Browser newcomer{oauth};
  CHECK_EQ(sign_in(newcomer, newcomer.follow(newcomer.get(address(oauth))), alice).status(), 429);
  const auto entered = owner.submit(owner.follow(owner.get(address(oauth))), "/login",
                                    {{"username", alice.name}, {"password", alice.password}});
  CHECK_EQ(entered.status(), 303);
  CHECK(owner.cookies.contains("troupe_session"));
}

TEST_CASE("a flow ends by itself, and its page says so") {
  OauthWorld oauth{{.seed = 13}};
  Browser browser{oauth};
  auto login = browser.follow(browser.get(address(oauth)));
  oauth.advance(601s);
  CHECK_EQ(sign_in(browser, login, alice).status(), 403);
  CHECK_EQ(browser.get("/login?flow=none").status(), 400);
  CHECK_EQ(browser.get("/login").status(), 400);
}

TEST_CASE("a flow that ends while its user signs in is told in their language, at whichever step") {
  OauthWorld oauth{{.seed = 17}};
  Browser browser{oauth};
  browser.accept_language = "de";
  auto consent = sign_in(browser, browser.follow(browser.get(address(oauth))), alice);
  browser.submit(consent, "/consent", {{"decision", "allow"}});
  int ended = 0, signed_in = 0;
  // A flow ends with a second of the clock, so these reach over every step of the request.
  for (auto left = 990ms; left <= 1050ms; left += 1ms) {
    auto login = browser.follow(browser.get(address(oauth, "prompt=login")));
    oauth.advance(600s - left);
    auto reply = browser.submit(login, "/login", {{"username", alice.name}, {"password", alice.password}});
    signed_in += reply.status() == 303 ? 1 : 0;
    if (reply.status() == 303) continue;
    CHECK_EQ(reply.status(), 403);
    CHECK(reply.body().contains("Diese Seite ist abgelaufen"));
    ++ended;
  }
  CHECK_GT(signed_in, 0);
  CHECK_GT(ended, 10);
}

TEST_CASE("pages speak the language that the client or the browser asks for") {
  OauthWorld oauth{{.seed = 16}};
  Browser browser{oauth};
  auto login = browser.follow(browser.get(address(oauth, "ui_locales=de-AT+en")));
  CHECK(login.body().contains("<html lang=\"de\">"));
  CHECK(login.body().contains("weiter zu <bdi>Web Shop</bdi>"));
  auto wrong = browser.submit(login, "/login", {{"username", "alice"}, {"password", "guess"}});
  CHECK(wrong.body().contains("Benutzername oder Passwort ist falsch."));
  auto consent = sign_in(browser, login, alice);
  CHECK(consent.body().contains("<bdi>Web Shop</bdi> erlauben?"));
  CHECK(consent.body().contains("Ihren Benutzernamen sehen"));

  Browser german{oauth};
  german.accept_language = "de-DE,de;q=0.9,en;q=0.8";
  CHECK(german.follow(german.get(address(oauth))).body().contains("Anmelden"));
  CHECK(german.follow(german.get(address(oauth, "ui_locales=en"))).body().contains("Sign in"));
  CHECK(german.follow(german.get("/account")).body().contains("weiter zu Ihrem Konto"));
  CHECK(german.get("/login?flow=none").body().contains("Diese Seite ist abgelaufen"));
  CHECK(german.get("/oauth/authorize").body().contains("Das hat nicht geklappt"));
  CHECK(german.get("/oauth/logout").body().contains("Sie sind abgemeldet"));
  Browser other{oauth};
  CHECK(other.follow(other.get(address(oauth, "ui_locales=fr"))).body().contains("<html lang=\"en\">"));
}

TEST_CASE("while the store is dead, users and clients are told to come again") {
  OauthWorld oauth{{.seed = 15}};
  Browser browser{oauth};
  auto login = browser.follow(browser.get(address(oauth)));
  oauth.break_store();
  auto reply = browser.submit(login, "/login", {{"username", alice.name}, {"password", alice.password}});
  CHECK_EQ(reply.status(), 503);
  CHECK_NE(reply.header("retry-after"), "");
  oauth.repair_store();
  CHECK_EQ(sign_in(browser, login, alice).status(), 200);
}

}  // namespace
}  // namespace troupe::oauth::test
