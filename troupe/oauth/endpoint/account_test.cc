// The account page: what it shows to whom, what its forms change, and what others may try.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include "troupe/crypto/testing/breached_list.h"
#include "troupe/oauth/endpoint/account_page.h"
#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

using namespace std::chrono_literals;

constexpr auto firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

/// Signs a person in at their account page.
Reply sign_in(Browser& browser, const Person& person = alice) {
  auto login = browser.follow(browser.get("/account"));
  return browser.follow(browser.submit(login, "/login", {{"username", person.name}, {"password", person.password}}));
}

/// The tokens that a client gets in this browser.
Reply authorize(OauthWorld& oauth, Browser& browser, const ClientApp& client, std::string_view changes = "") {
  auto page = browser.follow(browser.get("/oauth/authorize?" + oauth.authorization_query(client, changes)));
  if (page.status() == 200) page = browser.submit(page, "/consent", {{"decision", "allow"}});
  return oauth.redeem(client, std::string{page.location_query().get("code").value_or("")});
}

wire::Form passwords(std::string_view present, std::string_view next) {
  return {{"password", std::string{present}},
          {"new_password", std::string{next}},
          {"new_password_again", std::string{next}}};
}

/// The first value of a hidden field of that name behind `mark` in the page.
std::string hidden_behind(const Reply& page, std::string_view mark, std::string_view name) {
  std::string_view html = page.body();
  html.remove_prefix(std::min(html.find(mark), html.size()));
  const std::string field = fmt::format("name=\"{}\" value=\"", name);
  html.remove_prefix(std::min(html.find(field), html.size() - field.size()) + field.size());
  return std::string{html.substr(0, html.find('"'))};
}

TEST_CASE("a password manager finds in the form whose password it is that changes, and people do not see it") {
  OauthWorld oauth{{.seed = 23}};
  Browser browser{oauth};
  const auto page = sign_in(browser);
  const auto form = page.body().find("action=\"/account/password\"");
  REQUIRE_NE(form, std::string_view::npos);
  const auto name = page.body().find(R"(value="alice" autocomplete="username" readonly hidden>)", form);
  CHECK_LT(name, page.body().find("current-password", form));
}

TEST_CASE("who is not signed in signs in first, and comes back") {
  OauthWorld oauth{{.seed = 1}};
  Browser browser{oauth};
  auto sent = browser.get("/account");
  CHECK_EQ(sent.status(), 303);
  CHECK(sent.header("location").starts_with("/login?flow="));
  auto login = browser.follow(sent);
  CHECK(login.body().contains("to continue to your account"));
  auto wrong = browser.submit(login, "/login", {{"username", alice.name}, {"password", "guess"}});
  CHECK_EQ(wrong.status(), 400);
  auto back = browser.submit(login, "/login", {{"username", alice.name}, {"password", alice.password}});
  CHECK_EQ(back.header("location"), "/account");
  auto page = browser.follow(back);
  CHECK_EQ(page.status(), 200);
  CHECK(page.body().contains("alice"));
  CHECK(page.body().contains("alice@example.com"));
  CHECK(page.body().contains("You have allowed nothing"));
  CHECK_EQ(page.header("cache-control"), "no-store");
  CHECK_EQ(page.header("x-frame-options"), "DENY");
  CHECK(page.header("content-security-policy").contains("frame-ancestors 'none'"));
}

TEST_CASE("a sign-in for the account gives no client anything") {
  OauthWorld oauth{{.seed = 2}};
  Browser browser{oauth};
  const std::string sent = browser.get("/account").header("location");
  const std::string flow = sent.substr(sent.find('=') + 1);
  CHECK_EQ(browser.get("/consent?flow=" + flow).status(), 400);
  auto login = browser.get("/login?flow=" + flow);
  CHECK_EQ(browser.submit(login, "/consent", {{"decision", "allow"}}).status(), 403);
}

TEST_CASE("sessions are shown with their browser, and another one can be ended, with its tokens (T44)") {
  OauthWorld oauth{{.seed = 3}};
  Browser here{oauth}, there{oauth};
  there.user_agent = firefox;
  sign_in(there);
  auto bound = authorize(oauth, there, oauth.web_shop, "scope=openid+read");
  auto page = sign_in(here);
  CHECK(page.body().contains("Firefox on Linux"));
  CHECK(page.body().contains("this browser"));

  auto done = here.submit(page, "/account/sessions", {{"session", hidden_behind(page, "Firefox", "session")}});
  page = here.follow(done);
  CHECK(page.body().contains("Signed out there."));
  CHECK_FALSE(page.body().contains("Firefox"));
  CHECK_EQ(there.get("/account").status(), 303);
  CHECK_FALSE(oauth.is_active(bound.at("access_token")));
  CHECK_EQ(here.get("/account").status(), 200);
}

TEST_CASE("all other sessions end at once, and nobody else's") {
  OauthWorld oauth{{.seed = 4}};
  Browser here{oauth}, second{oauth}, third{oauth}, bobs{oauth};
  sign_in(second);
  sign_in(third);
  sign_in(bobs, bob);
  auto page = sign_in(here);
  const auto order = [&](const Reply& from, wire::Form form) {
    form.add("csrf", hidden_behind(from, "Password", "csrf"));
    return here.post("/account/sessions", form).status();
  };
  CHECK_EQ(order(page, {{"others", "all"}}), 303);
  CHECK_EQ(second.get("/account").status(), 303);
  CHECK_EQ(third.get("/account").status(), 303);
  CHECK_EQ(bobs.get("/account").status(), 200);
  page = here.get("/account");
  CHECK_EQ(page.status(), 200);
  CHECK_FALSE(page.body().contains("Sign out everywhere else"));
  CHECK_EQ(order(page, {}), 400);
  CHECK_EQ(order(page, {{"others", "all"}, {"session", "x"}}), 400);
  CHECK_EQ(order(page, {{"session", "no name of ours"}}), 303);
}

TEST_CASE("what an application was allowed is shown and taken back, with its tokens and codes on their way (T44)") {
  OauthWorld oauth{{.seed = 5}};
  Browser browser{oauth};
  sign_in(browser);
  auto tokens = authorize(oauth, browser, oauth.web_shop);
  auto others = authorize(oauth, browser, oauth.phone);
  auto redirect = browser.get("/oauth/authorize?" + oauth.authorization_query(oauth.web_shop));
  const std::string code{redirect.location_query().get("code").value()};
  auto page = browser.get("/account");
  CHECK(page.body().contains("Web Shop"));
  CHECK(page.body().contains("See your user name"));
  CHECK(page.body().contains("Phone"));

  const wire::Form shop{{"client_id", oauth.web_shop.id.value()}};
  page = browser.follow(browser.submit(page, "/account/applications", shop));
  CHECK(page.body().contains("What you had allowed is taken back."));
  CHECK_FALSE(page.body().contains("Web Shop"));
  CHECK_FALSE(oauth.is_active(tokens.at("access_token")));
  CHECK_EQ(oauth.refresh(oauth.web_shop, tokens.at("refresh_token")).error(), "invalid_grant");
  CHECK_EQ(oauth.redeem(oauth.web_shop, code).error(), "invalid_grant");
  CHECK(oauth.is_active(others.at("access_token")));
  auto again = browser.follow(browser.get("/oauth/authorize?" + oauth.authorization_query(oauth.web_shop)));
  CHECK(again.body().contains("<h1>Allow <bdi>Web Shop</bdi>?</h1>"));  // it has to ask again
}

TEST_CASE("a new password signs out everywhere else, ends all tokens, and changes the session here (T29, T44)") {
  OauthWorld oauth{{.seed = 6}};
  Browser here{oauth}, there{oauth};
  sign_in(there);
  auto page = sign_in(here);
  auto tokens = authorize(oauth, here, oauth.web_shop);
  oauth.advance(1s);
  const auto before = here.cookies;
  auto done = here.submit(page, "/account/password", passwords(alice.password, "another long one"));
  CHECK_EQ(done.status(), 303);
  CHECK(here.follow(done).body().contains("Your password has been changed."));
  CHECK_NE(here.cookies.at("troupe_session"), before.at("troupe_session"));
  Browser thief{oauth};
  thief.cookies = before;
  CHECK_EQ(thief.get("/account").status(), 303);
  CHECK_EQ(there.get("/account").status(), 303);
  CHECK_EQ(oauth.refresh(oauth.web_shop, tokens.at("refresh_token")).error(), "invalid_grant");
  CHECK_FALSE(oauth.is_active(tokens.at("access_token")));

  CHECK_EQ(sign_in(there).status(), 400);
  CHECK_EQ(sign_in(there, {"alice", "another long one"}).status(), 200);
}

TEST_CASE("a password that has become known is refused in the language of the page, and the old one stays") {
  const crypto::testing::BreachedList list{{"another long one", "letmein123"}};
  OauthWorld oauth{{.seed = 19, .breached = list.opened()}};
  Browser browser{oauth};
  const auto page = sign_in(browser);
  const auto change = [&](std::string_view next) {
    return browser.submit(page, "/account/password", passwords(alice.password, next));
  };
  auto refused = change("another long one");
  CHECK_EQ(refused.status(), 400);
  CHECK(refused.body().contains("This password is known to others"));
  browser.accept_language = "de";
  CHECK(change("another long one").body().contains("Dieses Passwort kennen andere"));
  Browser again{oauth};
  CHECK_EQ(sign_in(again).status(), 200);
  CHECK_EQ(change("one that nobody knows").status(), 303);
}

TEST_CASE("a password that is not changed stays, and the page says why") {
  OauthWorld oauth{{.seed = 7}};
  Browser browser{oauth};
  auto page = sign_in(browser);
  struct Row {
    wire::Form form;
    int status;
    const char* says;
  };
  wire::Form unequal = passwords(alice.password, "another long one");
  unequal = {{"password", alice.password}, {"new_password", "another long one"}, {"new_password_again", "another one"}};
  const Row rows[] = {
      {passwords("guess", "another long one"), 400, "The present password is wrong."},
      {passwords(alice.password, "short"), 400, "A password has 8 to 256 bytes."},
      {passwords(alice.password, std::string(257, 'x')), 400, "A password has 8 to 256 bytes."},
      {unequal, 400, "not the same both times"},
      {{}, 400, "A password has 8 to 256 bytes."},
  };
  for (const Row& row : rows) {
    auto reply = browser.submit(page, "/account/password", row.form);
    CHECK_EQ(reply.status(), row.status);
    CHECK(reply.body().contains(row.says));
    CHECK(reply.body().contains("role=\"alert\""));
  }
  const auto guess = [&] { return browser.submit(page, "/account/password", passwords("guess", "another long one")); };
  auto slowed = guess();
  for (int i = 0; i < 10 && slowed.status() == 400; ++i) slowed = guess();
  CHECK_EQ(slowed.status(), 429);
  CHECK_NE(slowed.header("retry-after"), "");
  Browser fresh{oauth};
  oauth.advance(61s);
  CHECK_EQ(sign_in(fresh).status(), 200);
}

TEST_CASE("a form that is forged, foreign or of another site changes nothing (T26)") {
  OauthWorld oauth{{.seed = 8}};
  Browser browser{oauth}, other{oauth}, bobs{oauth};
  sign_in(other);
  auto page = sign_in(browser);
  auto bobs_page = sign_in(bobs, bob);
  const wire::Form all{{"others", "all"}};
  for (const char* path : {"/account/sessions", "/account/password", "/account/applications"}) {
    CAPTURE(path);
    CHECK_EQ(browser.post(path, all).status(), 403);
    CHECK_EQ(browser.post(path, {{"others", "all"}, {"csrf", "x"}}).status(), 403);
    CHECK_EQ(browser.submit(bobs_page, path, all).status(), 403);
    wire::Form stolen = all;
    stolen.add("csrf", hidden_behind(page, "Password", "csrf"));
    CHECK_EQ(browser.post(path, stolen, {{"Sec-Fetch-Site", "cross-site"}}).status(), 403);
    CHECK_EQ(browser.get(path).status(), 405);  // a link changes nothing
  }
  CHECK_EQ(other.get("/account").status(), 200);
  Browser nobody{oauth};
  CHECK_EQ(nobody.submit(page, "/account/sessions", all).header("location"), "/account");
  CHECK_EQ(other.get("/account").status(), 200);
}

TEST_CASE("nobody else can make the page say that something was done") {
  OauthWorld oauth{{.seed = 9}};
  Browser browser{oauth};
  sign_in(browser);
  for (const char* query : {"?done=password", "?done=password&proof=x", "?done=%zz"}) {
    auto page = browser.get(std::string{"/account"} + query);
    CHECK_EQ(page.status(), 200);
    CHECK_FALSE(page.body().contains("role=\"status\""));
  }
}

TEST_CASE("while the store is dead the page says so, and nothing is half done") {
  OauthWorld oauth{{.seed = 10}};
  Browser browser{oauth}, other{oauth};
  sign_in(other);
  auto page = sign_in(browser);
  oauth.break_store();
  CHECK_EQ(browser.get("/account").status(), 503);
  CHECK_EQ(browser.submit(page, "/account/sessions", {{"others", "all"}}).status(), 503);
  CHECK_EQ(browser.submit(page, "/account/password", passwords(alice.password, "another long one")).status(), 503);
  oauth.repair_store();
  CHECK_EQ(browser.get("/account").status(), 200);
  CHECK_EQ(other.get("/account").status(), 200);
}

TEST_CASE("what comes from outside is text on the account page, never markup (T24)") {
  constexpr auto attack = "<script>alert('x')</script>\"&";
  Session session{.id = SessionId{"s1"}, .place = {.user_agent = attack, .address = attack}};
  const AccountView view{
      .user = {.id = UserId{"u_x"}, .name = UserName{attack}, .email = attack},
      .present = SessionId{"s2"},
      .sessions = {session},
      .applications = {{ClientId{attack}, attack, ScopeSet::parse("<b>").value(), base::UnixTime{0}}},
      .proof = CsrfToken{std::string{"p"}}};
  auto response = account_page(200, view, {.done = attack, .password_problem = attack});
  CHECK_FALSE(response.body.view().contains("<script"));
  CHECK_FALSE(response.body.view().contains("<b>"));
  CHECK(response.body.view().contains("1970-01-01"));
}

TEST_CASE("the account page speaks German to who reads German, and tells there what was done") {
  OauthWorld oauth{{.seed = 11}};
  Browser browser{oauth};
  browser.accept_language = "de";
  auto page = sign_in(browser);
  CHECK(page.body().contains("Sie sind angemeldet als"));
  auto refused = browser.submit(page, "/account/password", passwords("guess", "another long one"));
  CHECK(refused.body().contains("Das jetzige Passwort ist falsch."));
  auto done = browser.submit(page, "/account/password", passwords(alice.password, "another long one"));
  CHECK(browser.follow(done).body().contains("Ihr Passwort ist geändert."));
  CHECK(browser.get("/oauth/logout?ui_locales=en").body().contains("Sign out?"));
  CHECK(browser.get("/oauth/logout").body().contains("Abmelden?"));
}

TEST_CASE("fifty sessions are shown, and how many more there are") {
  AccountView view{.user = {.id = UserId{"u_x"}, .name = UserName{"x"}}, .proof = CsrfToken{std::string{"p"}}};
  view.sessions.assign(53, Session{.id = SessionId{"s1"}});
  auto body = account_page(200, view, {}).body;
  CHECK(body.view().contains("And 3 more."));
}

}  // namespace
}  // namespace troupe::oauth::test
