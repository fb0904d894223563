// What an authorization request says of the user beyond the scope: the claims that it asks for, and whom it expects
// (OpenID Connect Core, sections 3.1.2.1 and 5.5).
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "troupe/crypto/jwt.h"
#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

using namespace std::chrono_literals;

struct HintWorld : OauthWorld {
  explicit HintWorld(std::uint64_t seed) : OauthWorld({.seed = seed}) {}

  Reply begin(Browser& browser, const ClientApp& client, const wire::Form& more) {
    const std::string changes = (more.get("scope") ? "" : "scope=openid+read&") + wire::write_form(more);
    return browser.follow(browser.get("/oauth/authorize?" + authorization_query(client, changes)));
  }
  static Reply log_in(Browser& browser, const Reply& page, const Person& person) {
    return browser.follow(browser.submit(page, "/login", {{"username", person.name}, {"password", person.password}}));
  }
  /// Signs in and agrees; gives the client's tokens.
  Reply sign_in(Browser& browser, const Person& person, const ClientApp& client, const wire::Form& more = {}) {
    auto page = begin(browser, client, more);
    if (page.body().contains("password")) page = log_in(browser, page, person);
    if (page.status() == 200) page = browser.submit(page, "/consent", {{"decision", "allow"}});
    return redeem(client, std::string{page.location_query().get("code").value_or("")});
  }
  static wire::Json claims_in(const std::string& jwt) {
    return wire::parse_json(crypto::read_unverified_jwt(jwt).value().claims).value();
  }
};

std::string error_of(const Reply& reply) { return std::string{reply.location_query().get("error").value_or("")}; }

TEST_CASE("Core, 3.1.2.1: with a hint, prompt=none succeeds for its user and for nobody else") {
  HintWorld oauth{1};
  Browser browser{oauth};
  const auto alices = oauth.sign_in(browser, alice, oauth.web_shop).at("id_token");
  const wire::Form quietly{{"id_token_hint", alices}, {"prompt", "none"}};
  CHECK(oauth.begin(browser, oauth.web_shop, quietly).location_query().get("code"));
  Browser bobs{oauth};
  oauth.sign_in(bobs, bob, oauth.web_shop);
  CHECK_EQ(error_of(oauth.begin(bobs, oauth.web_shop, quietly)), "login_required");
  Browser nobodys{oauth};
  CHECK_EQ(error_of(oauth.begin(nobodys, oauth.web_shop, quietly)), "login_required");
  oauth.advance(20min);  // the hint has expired, and says the same
  CHECK(oauth.begin(browser, oauth.web_shop, quietly).location_query().get("code"));
}

TEST_CASE("Core, 3.1.2.2: who signs in instead of the user of the hint gives the client nothing") {
  HintWorld oauth{2};
  Browser browser{oauth};
  const auto alices = oauth.sign_in(browser, alice, oauth.web_shop).at("id_token");
  Browser bobs{oauth};
  oauth.sign_in(bobs, bob, oauth.web_shop);
  const auto page = oauth.begin(bobs, oauth.web_shop, {{"id_token_hint", alices}});
  REQUIRE(page.body().contains("password"));
  CHECK_EQ(error_of(HintWorld::log_in(bobs, page, bob)), "login_required");
  const auto again = oauth.begin(bobs, oauth.web_shop, {{"id_token_hint", alices}});
  CHECK(HintWorld::log_in(bobs, again, alice).location_query().get("code"));
}

TEST_CASE("a hint that is none is refused, and so is one that was given to another client") {
  HintWorld oauth{3};
  Browser browser{oauth};
  const auto tokens = oauth.sign_in(browser, alice, oauth.web_shop);
  const auto others = oauth.sign_in(browser, alice, oauth.other_shop).at("id_token");
  std::string forged = tokens.at("id_token");
  forged[forged.size() - 5] = forged[forged.size() - 5] == 'A' ? 'B' : 'A';
  for (const std::string& hint : {std::string{"x"}, forged, others, tokens.at("access_token")}) {
    CAPTURE(hint);
    const auto refused = oauth.begin(browser, oauth.web_shop, {{"id_token_hint", hint}});
    CHECK_EQ(error_of(refused), "invalid_request");
    CHECK_EQ(refused.location_query().get("state"), "s1");
  }
}

TEST_CASE("Core, 5.5.1: a subject that is asked for with its value is who must be signed in") {
  HintWorld oauth{4};
  Browser browser{oauth};
  const auto id_token = HintWorld::claims_in(oauth.sign_in(browser, alice, oauth.web_shop).at("id_token"));
  const auto claims = [](const std::string& subject) {
    return wire::Form{{"prompt", "none"},
                      {"claims", fmt::format(R"({{"id_token":{{"sub":{{"value":"{}"}}}}}})", subject)}};
  };
  CHECK(oauth.begin(browser, oauth.web_shop, claims(*id_token.string_at("sub"))).location_query().get("code"));
  CHECK_EQ(error_of(oauth.begin(browser, oauth.web_shop, claims("u_somebody"))), "login_required");
}

TEST_CASE(
    "Core, 2 and 5.5.1.1: an ID token says how its user has signed in, and an essential way that there is not fails") {
  HintWorld oauth{5};
  Browser browser{oauth};
  const wire::Form wish{{"acr_values", "2 1"},
                        {"claims", R"({"id_token":{"acr":{"values":["2"]},"auth_time":{"essential":true}}})"}};
  const auto claims = HintWorld::claims_in(oauth.sign_in(browser, alice, oauth.web_shop, wish).at("id_token"));
  CHECK_EQ(*claims.string_at("acr"), "1");
  CHECK(claims.find("auth_time")->integer() != nullptr);
  const wire::Form demand{{"claims", R"({"id_token":{"acr":{"essential":true,"values":["2"]}}})"}};
  CHECK_EQ(error_of(oauth.begin(browser, oauth.web_shop, demand)), "unmet_authentication_requirements");
  CHECK_EQ(error_of(oauth.begin(browser, oauth.web_shop, {{"claims", "{"}})), "invalid_request");
  CHECK_EQ(error_of(oauth.begin(browser, oauth.web_shop, {{"acr_values", std::string(513, 'x')}})), "invalid_request");
}

TEST_CASE("Core, 5.5: claims of the user are shown on the consent page by their scope, and come by userinfo") {
  HintWorld oauth{6};
  Browser browser{oauth};
  const wire::Form asks{{"claims", R"({"userinfo":{"email":{"essential":true},"picture":null}})"}};
  const auto tokens = oauth.sign_in(browser, alice, oauth.web_shop, asks);
  CHECK_EQ(tokens.at("scope"), "email openid read");
  const auto info = oauth.userinfo(tokens.at("access_token"));
  CHECK_EQ(info.at("email"), "alice@example.com");
  CHECK_EQ(info.at("preferred_username"), "");
  // What the client is not registered for it does not get, and its users are not asked.
  const auto phones = oauth.sign_in(browser, alice, oauth.phone, asks);
  CHECK_EQ(phones.at("scope"), "openid read");
  CHECK_EQ(oauth.userinfo(phones.at("access_token")).at("email"), "");
}

TEST_CASE("Core, 5.5 and 12.2: claims that are asked for in the ID token stand there, also after a refresh") {
  HintWorld oauth{8};
  Browser browser{oauth};
  const wire::Form asks{{"claims", R"({"id_token":{"email":{"essential":true},"preferred_username":null}})"},
                        {"scope", "openid offline_access"}};
  auto tokens = oauth.sign_in(browser, alice, oauth.web_shop, asks);
  CHECK_EQ(tokens.at("scope"), "email offline_access openid profile");
  const auto claims = HintWorld::claims_in(tokens.at("id_token"));
  CHECK_EQ(*claims.string_at("email"), "alice@example.com");
  CHECK_EQ(*claims.string_at("preferred_username"), "alice");

  auto again = oauth.refresh(oauth.web_shop, tokens.at("refresh_token"));
  CHECK_EQ(*HintWorld::claims_in(again.at("id_token")).string_at("email"), "alice@example.com");
  auto narrow = oauth.refresh(oauth.web_shop, tokens.at("refresh_token"), "scope=openid+profile");
  CHECK_EQ(HintWorld::claims_in(narrow.at("id_token")).find("email"), nullptr);
  CHECK_EQ(*HintWorld::claims_in(narrow.at("id_token")).string_at("preferred_username"), "alice");
}

TEST_CASE("a repeat of a refresh gives the claims of the ID token again") {
  HintWorld oauth{9};
  Browser browser{oauth};
  const wire::Form asks{{"claims", R"({"id_token":{"preferred_username":null}})"}, {"scope", "openid offline_access"}};
  const auto tokens = oauth.sign_in(browser, alice, oauth.phone, asks);
  for (int i = 0; i < 2; ++i) {
    const auto again = oauth.refresh(oauth.phone, tokens.at("refresh_token"));
    CHECK_EQ(*HintWorld::claims_in(again.at("id_token")).string_at("preferred_username"), "alice");
  }
}

TEST_CASE("Core, 5.4 and 5.5.1: an ID token has no claims for their scopes alone, of other values, or not allowed") {
  HintWorld oauth{10};
  struct Row {
    const ClientApp& client;
    wire::Form asks;
  };
  const Row rows[] = {
      {oauth.web_shop, {{"scope", "openid email profile"}}},
      {oauth.web_shop, {{"claims", R"({"userinfo":{"email":null}})"}}},
      {oauth.web_shop, {{"claims", R"({"id_token":{"email":{"value":"bob@example.com"}}})"}}},
      {oauth.phone, {{"claims", R"({"id_token":{"email":{"essential":true}}})"}}},
  };
  for (const Row& row : rows) {
    Browser browser{oauth};
    const auto claims = HintWorld::claims_in(oauth.sign_in(browser, alice, row.client, row.asks).at("id_token"));
    CHECK_EQ(claims.find("email"), nullptr);
    CHECK_EQ(claims.find("preferred_username"), nullptr);
  }
}

TEST_CASE("introspection tells the name of the user (RFC 7662, 2.2)") {
  HintWorld oauth{7};
  Browser browser{oauth};
  const auto tokens = oauth.sign_in(browser, alice, oauth.web_shop);
  CHECK_EQ(oauth.introspect(tokens.at("access_token")).at("username"), "alice");
  const auto own =
      oauth.post_as(oauth.web_shop, "/oauth/token", {{"grant_type", "client_credentials"}, {"scope", "read"}});
  CHECK_EQ(oauth.introspect(own.at("access_token")).json.find("username"), nullptr);
}

TEST_CASE("claims that are as long as may be, with escapes that are written longer, stop nobody") {
  HintWorld oauth{21};
  Browser browser{oauth};
  std::string value;
  while (value.size() < 4000) value += R"(\b)";
  const auto tokens = oauth.sign_in(
      browser, alice, oauth.web_shop,
      {{"scope", "openid email offline_access"}, {"claims", R"({"id_token":{"email":{"value":")" + value + R"("}}})"}});
  REQUIRE_EQ(tokens.status(), 200);
  CHECK_EQ(HintWorld::claims_in(tokens.at("id_token")).find("email"), nullptr);
  CHECK_EQ(oauth.refresh(oauth.web_shop, tokens.at("refresh_token")).status(), 200);
}

}  // namespace
}  // namespace troupe::oauth::test
