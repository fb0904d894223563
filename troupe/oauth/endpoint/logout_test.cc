// Signing out: by a genuine ID token, or after asking the user; and the way back.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include "troupe/oauth/sim/oauth_world.h"
#include "troupe/wire/base64.h"

namespace troupe::oauth::test {
namespace {

using namespace std::chrono_literals;

constexpr auto bye = "https://shop.example/bye";

/// Signs alice in and gives the tokens that the shop got.
Reply sign_in(OauthWorld& oauth, Browser& browser, std::string_view scope = "openid+read") {
  auto address = "/oauth/authorize?" + oauth.authorization_query(oauth.web_shop, fmt::format("scope={}", scope));
  auto page = browser.follow(browser.get(address));
  page = browser.follow(browser.submit(page, "/login", {{"username", alice.name}, {"password", alice.password}}));
  if (page.status() == 200) page = browser.submit(page, "/consent", {{"decision", "allow"}});
  return oauth.redeem(oauth.web_shop, std::string{page.location_query().get("code").value_or("")});
}

bool is_signed_in(OauthWorld& oauth, Browser browser) {
  auto silent = "/oauth/authorize?" + oauth.authorization_query(oauth.web_shop, "scope=openid+read&prompt=none");
  return browser.get(silent).location_query().get("code").has_value();
}

std::string logout_of(const wire::Form& parameters) { return "/oauth/logout?" + wire::write_form(parameters); }

TEST_CASE("a client that shows the session's ID token signs the user out and has them back") {
  OauthWorld oauth{{.seed = 10}};
  Browser browser{oauth};
  auto tokens = sign_in(oauth, browser);
  auto hint = "id_token_hint=" + tokens.at("id_token");
  auto out = browser.get("/oauth/logout?" + hint + "&state=x&post_logout_redirect_uri=https://shop.example/bye");
  CHECK_EQ(out.header("location"), "https://shop.example/bye?state=x");
  CHECK_FALSE(browser.cookies.contains("troupe_session"));
  CHECK_FALSE(oauth.is_active(tokens.at("access_token")));
  auto evil = browser.get("/oauth/logout?" + hint + "&post_logout_redirect_uri=https://evil.example/");
  CHECK_EQ(evil.header("location"), "");  // T25
}

TEST_CASE("an ID token that has expired still signs out, and its client may be named with it (T68)") {
  OauthWorld oauth{{.seed = 12}};
  Browser browser{oauth};
  auto tokens = sign_in(oauth, browser);
  oauth.advance(30min);
  auto out = browser.get(logout_of({{"id_token_hint", tokens.at("id_token")},
                                    {"client_id", oauth.web_shop.id.value()},
                                    {"logout_hint", "alice"},
                                    {"ui_locales", "de en"},
                                    {"post_logout_redirect_uri", bye}}));
  CHECK_EQ(out.header("location"), bye);
  CHECK_FALSE(is_signed_in(oauth, browser));
}

TEST_CASE("nobody is signed out by a link or another site's form (T68)") {
  OauthWorld oauth{{.seed = 11}};
  Browser browser{oauth};
  auto tokens = sign_in(oauth, browser);
  Browser other{oauth};
  auto others = sign_in(oauth, other);
  std::string forged = tokens.at("id_token");
  forged.back() = forged.back() == 'A' ? 'B' : 'A';
  const std::string payload = tokens.at("id_token").substr(0, tokens.at("id_token").rfind('.'));
  const std::string none =
      wire::to_base64url(R"({"alg":"none","typ":"JWT"})") + payload.substr(payload.find('.')) + ".";
  struct Row {
    const char* what;
    wire::Form parameters;
  };
  const Row rows[] = {
      {"nothing at all", {}},
      {"garbage", {{"id_token_hint", "garbage"}}},
      {"a forged hint", {{"id_token_hint", forged}}},
      {"an unsigned hint", {{"id_token_hint", none}}},
      {"an access token", {{"id_token_hint", tokens.at("access_token")}}},
      {"another session's hint", {{"id_token_hint", others.at("id_token")}}},
      {"another client with the hint",
       {{"id_token_hint", tokens.at("id_token")}, {"client_id", oauth.other_shop.id.value()}}},
      {"a client alone", {{"client_id", oauth.web_shop.id.value()}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    auto question = browser.get(logout_of(row.parameters));
    CHECK_EQ(question.status(), 200);
    CHECK_EQ(question.header("location"), "");
    CHECK(question.body().contains("Sign out?"));
    CHECK(is_signed_in(oauth, browser));
  }
  CHECK_EQ(browser.post("/oauth/logout", {{"csrf", "x"}}).status(), 403);
  auto question = browser.get("/oauth/logout");
  CHECK_EQ(other.submit(question, "/oauth/logout", {}).status(), 403);  // made for another session
  CHECK(is_signed_in(oauth, other));
  CHECK(is_signed_in(oauth, browser));
  for (int click = 0; click < 2; ++click) {  // by the second they are signed out already, and are told so
    const auto farewell = browser.submit(question, "/oauth/logout", {});
    CHECK_EQ(farewell.status(), 200);
    CHECK(farewell.body().contains("You are signed out"));
    CHECK_FALSE(browser.cookies.contains("troupe_session"));
  }
}

TEST_CASE("the question remembers the way back, and nobody can change it on the way (T25)") {
  OauthWorld oauth{{.seed = 13}};
  Browser browser{oauth};
  sign_in(oauth, browser);
  const wire::Form asked{
      {"client_id", oauth.web_shop.id.value()}, {"post_logout_redirect_uri", bye}, {"state", "s 1/2?"}};
  auto question = browser.get(logout_of(asked));
  for (const wire::Form& changed : {wire::Form{{"post_logout_redirect_uri", "https://evil.example/"}},
                                    wire::Form{{"client_id", oauth.other_shop.id.value()}},
                                    wire::Form{{"state", "other"}}, wire::Form{{"csrf", "x"}}}) {
    CHECK_EQ(browser.submit(question, "/oauth/logout", changed).status(), 403);
  }
  CHECK(is_signed_in(oauth, browser));
  auto out = browser.submit(question, "/oauth/logout", {});
  CHECK_EQ(out.status(), 303);
  CHECK(out.header("location").starts_with("https://shop.example/bye?state="));
  CHECK_EQ(out.location_query().get("state"), "s 1/2?");
  CHECK_FALSE(is_signed_in(oauth, browser));

  sign_in(oauth, browser);
  question = browser.get(logout_of({{"post_logout_redirect_uri", "https://evil.example/"}, {"state", "s"}}));
  CHECK_EQ(browser.submit(question, "/oauth/logout", {}).header("location"), "");  // nobody's address
}

TEST_CASE("who is signed out already goes back where an ID token proves the client, else by a link of their own will") {
  OauthWorld oauth{{.seed = 14}};
  Browser browser{oauth};
  auto tokens = sign_in(oauth, browser);
  Browser stranger{oauth};
  auto back = stranger.get(logout_of({{"id_token_hint", tokens.at("id_token")}, {"post_logout_redirect_uri", bye}}));
  CHECK_EQ(back.header("location"), bye);
  auto page = stranger.get(logout_of({{"client_id", oauth.web_shop.id.value()}, {"post_logout_redirect_uri", bye}}));
  CHECK_EQ(page.status(), 200);
  CHECK(page.body().contains("href=\"https://shop.example/bye\""));
  page = stranger.get(logout_of({{"client_id", "c_nobody"}, {"post_logout_redirect_uri", bye}}));
  CHECK_FALSE(page.body().contains("href=\"https://shop"));
}

TEST_CASE("a client's POST, which comes without cookies, is led on to where they come along") {
  OauthWorld oauth{{.seed = 15}};
  Browser browser{oauth};
  auto tokens = sign_in(oauth, browser);
  Browser bare{oauth};
  const wire::Form form{{"id_token_hint", tokens.at("id_token")}, {"post_logout_redirect_uri", bye}, {"state", "s"}};
  auto led = bare.post("/oauth/logout", form, {{"Sec-Fetch-Site", "cross-site"}});
  CHECK_EQ(led.status(), 303);
  CHECK(led.header("location").starts_with("/oauth/logout?"));
  CHECK_EQ(browser.get(led.header("location")).header("location"), "https://shop.example/bye?state=s");
  CHECK_FALSE(is_signed_in(oauth, browser));
}

TEST_CASE("asking for the head of an answer signs nobody out and makes no code") {
  OauthWorld oauth{{.seed = 16}};
  Browser browser{oauth};
  auto tokens = sign_in(oauth, browser);
  auto head = [&](std::string path, std::string query) {
    return browser.send({.method = web::Method::head, .path = std::move(path), .query = std::move(query)});
  };
  CHECK_EQ(head("/oauth/logout", "id_token_hint=" + tokens.at("id_token")).status(), 405);
  CHECK(is_signed_in(oauth, browser));
  auto reply = head("/oauth/authorize", oauth.authorization_query(oauth.web_shop, "scope=openid+read"));
  CHECK_EQ(reply.status(), 405);
  CHECK_EQ(reply.header("location"), "");
  CHECK_FALSE(reply.header("allow").contains("HEAD"));
}

TEST_CASE(
    "a request to sign out that makes no sense is refused, and while the store is dead nobody is told they are out") {
  OauthWorld oauth{{.seed = 17}};
  Browser browser{oauth};
  auto tokens = sign_in(oauth, browser);
  CHECK_EQ(browser.get("/oauth/logout?state=a&state=b").status(), 400);
  CHECK_EQ(browser.get("/oauth/logout?state=" + std::string(2049, 's')).status(), 400);
  CHECK_EQ(browser.get("/oauth/logout?state=%zz").status(), 400);
  oauth.break_store();
  CHECK_EQ(browser.get("/oauth/logout?id_token_hint=" + tokens.at("id_token")).status(), 503);
  oauth.repair_store();
  CHECK(browser.cookies.contains("troupe_session"));
  CHECK(oauth.is_active(tokens.at("access_token")));
}

}  // namespace
}  // namespace troupe::oauth::test
