// Whole flows: from the authorization request to tokens and what they open.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include "troupe/crypto/digest.h"
#include "troupe/crypto/jwt.h"
#include "troupe/oauth/sim/oauth_world.h"
#include "troupe/wire/base64.h"

namespace troupe::oauth::test {
namespace {

using namespace std::chrono_literals;

/// The claims of a JWT whose signature holds under the server's published keys.
wire::Json claims_of(OauthWorld& oauth, const std::string& token, std::string_view typ, crypto::Algorithm algorithm) {
  auto keys = oauth.send({.path = "/oauth/jwks"});
  auto hint = crypto::read_unverified_jwt(token).value();
  for (const wire::Json& jwk : *keys.json.find("keys")->array()) {
    if (*jwk.string_at("kid") != hint.kid) continue;
    crypto::Verifier verifier{crypto::PublicKey::from_jwk(wire::write_json(jwk)).value()};
    CHECK_EQ(verifier.key().algorithm(), algorithm);
    return wire::parse_json(crypto::verify_jwt(verifier, token, {.typ = typ}).value().claims).value();
  }
  FAIL("the key is not published");
  return {};
}

TEST_CASE("a person signs in once, agrees once, and the client gets its tokens") {
  OauthWorld oauth{{.seed = 7}};
  Browser browser{oauth};
  auto query = oauth.authorization_query(oauth.web_shop);

  auto login = browser.follow(browser.get("/oauth/authorize?" + query));
  CHECK_EQ(login.status(), 200);
  CHECK(login.body().contains("to continue to <bdi>Web Shop</bdi>"));

  auto consent =
      browser.follow(browser.submit(login, "/login", {{"username", alice.name}, {"password", alice.password}}));
  CHECK_EQ(consent.status(), 200);
  CHECK(consent.body().contains("<strong><bdi>alice</bdi></strong>"));

  auto back = browser.submit(consent, "/consent", {{"decision", "allow"}});
  CHECK_EQ(back.status(), 303);  // T31
  CHECK(back.header("location").starts_with("https://shop.example/cb?code="));
  CHECK_EQ(back.location_query().get("state"), "s1");
  CHECK_EQ(back.location_query().get("iss"), oauth.options().issuer);  // T22

  auto again = browser.get("/oauth/authorize?" + query);  // nothing is left to ask
  CHECK(again.header("location").starts_with("https://shop.example/cb?code="));

  auto tokens = oauth.redeem(oauth.web_shop, std::string{*back.location_query().get("code")});
  REQUIRE_EQ(tokens.status(), 200);
  CHECK_EQ(tokens.header("cache-control"), "no-store");  // T56
  CHECK_EQ(tokens.at("token_type"), "Bearer");
  CHECK_EQ(tokens.at("scope"), "offline_access openid profile read");
  CHECK_EQ(*tokens.json.find("expires_in")->integer(), 600);
  CHECK(oauth.is_active(tokens.at("access_token")));
  CHECK(oauth.is_active(tokens.at("refresh_token")));
}

TEST_CASE("an ID token says who, when, for whom, and belongs to its access token") {
  OauthWorld oauth{{.seed = 8}};
  auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  auto claims = claims_of(oauth, tokens.at("id_token"), "JWT", crypto::Algorithm::rs256);
  CHECK_EQ(*claims.string_at("iss"), oauth.options().issuer);
  CHECK_EQ(*claims.string_at("aud"), oauth.web_shop.id.value());
  CHECK_EQ(*claims.string_at("nonce"), "n1");
  CHECK(claims.find("auth_time")->integer());
  CHECK(claims.string_at("sid"));
  auto digest = crypto::sha256(tokens.at("access_token"));
  CHECK_EQ(*claims.string_at("at_hash"), wire::to_base64url(digest.view().substr(0, 16)));

  auto userinfo = oauth.userinfo(tokens.at("access_token"));
  CHECK_EQ(userinfo.at("sub"), *claims.string_at("sub"));
  CHECK_EQ(userinfo.at("preferred_username"), "alice");
  CHECK_EQ(userinfo.json.find("email"), nullptr);  // the scope was not asked for
}

TEST_CASE("the ID token of a refresh bears no nonce: it answers no request (Core, 12.2)") {
  OauthWorld oauth{{.seed = 17}};
  const auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  const auto again = oauth.refresh(oauth.web_shop, tokens.at("refresh_token"));
  auto claims = claims_of(oauth, again.at("id_token"), "JWT", crypto::Algorithm::rs256);
  CHECK_EQ(claims.find("nonce"), nullptr);
}

TEST_CASE("an access token is a JWT that a resource server can check alone (RFC 9068)") {
  OauthWorld oauth{{.seed = 9}};
  auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  auto claims = claims_of(oauth, tokens.at("access_token"), "at+jwt", crypto::Algorithm::es256);
  CHECK_EQ(*claims.string_at("client_id"), oauth.web_shop.id.value());
  CHECK_EQ(*claims.string_at("scope"), "offline_access openid profile read");
  CHECK_EQ(claims.find("exp")->integer() ? *claims.find("exp")->integer() - *claims.find("iat")->integer() : 0, 600);
}

TEST_CASE("a client that is registered for opaque tokens gets those") {
  OauthWorld oauth{{.seed = 10}};
  auto tokens = oauth.redeem(oauth.opaque_shop, oauth.authorize(alice, oauth.opaque_shop));
  CHECK(tokens.at("access_token").starts_with("at_"));
  CHECK(oauth.is_active(tokens.at("access_token")));
  CHECK_EQ(oauth.userinfo(tokens.at("access_token")).at("preferred_username"), "alice");
}

TEST_CASE("a native application needs no secret, and may listen on any port (T3)") {
  OauthWorld oauth{{.seed = 11}};
  constexpr auto uri = "redirect_uri=http%3A%2F%2F127.0.0.1%3A49152%2Fcb";
  auto code = oauth.authorize(alice, oauth.phone, uri);
  REQUIRE_NE(code, "");
  CHECK_EQ(oauth.redeem(oauth.phone, code).error(), "invalid_grant");  // T17: another port than the one it asked with
  CHECK_EQ(oauth.redeem(oauth.phone, code, uri).status(), 200);
}

TEST_CASE("a client acts for itself, without user, refresh token or ID token (T78)") {
  OauthWorld oauth{{.seed = 12}};
  auto tokens = oauth.post_as(oauth.web_shop, "/oauth/token", {{"grant_type", "client_credentials"}});
  REQUIRE_EQ(tokens.status(), 200);
  CHECK_EQ(tokens.at("scope"), "read write");
  CHECK_EQ(tokens.at("refresh_token"), "");
  CHECK_EQ(tokens.at("id_token"), "");
  auto claims = claims_of(oauth, tokens.at("access_token"), "at+jwt", crypto::Algorithm::es256);
  CHECK_EQ(*claims.string_at("sub"), oauth.web_shop.id.value());
  CHECK_EQ(claims.find("sid"), nullptr);
  CHECK_EQ(oauth.userinfo(tokens.at("access_token")).status(), 403);
}

TEST_CASE("a refresh token is spent for its successor, and a lost answer can be had again (T42)") {
  OauthWorld oauth{{.seed = 13}};
  auto first = oauth.redeem(oauth.phone, oauth.authorize(alice, oauth.phone));
  auto second = oauth.refresh(oauth.phone, first.at("refresh_token"));
  REQUIRE_EQ(second.status(), 200);
  CHECK_NE(second.at("refresh_token"), first.at("refresh_token"));
  auto repeated = oauth.refresh(oauth.phone, first.at("refresh_token"));
  CHECK_EQ(repeated.at("refresh_token"), second.at("refresh_token"));
  CHECK(oauth.is_active(second.at("access_token")));
}

TEST_CASE("a client that lost the answer to a refresh may ask for less when it asks again (T43)") {
  OauthWorld oauth{{.seed = 17}};
  auto first = oauth.redeem(oauth.phone, oauth.authorize(alice, oauth.phone));
  auto second = oauth.refresh(oauth.phone, first.at("refresh_token"));
  auto narrow = oauth.refresh(oauth.phone, first.at("refresh_token"), "scope=read");
  REQUIRE_EQ(narrow.status(), 200);
  CHECK_EQ(narrow.at("scope"), "read");
  CHECK_EQ(narrow.at("refresh_token"), second.at("refresh_token"));
  CHECK(oauth.is_active(narrow.at("access_token")));
  CHECK_EQ(oauth.refresh(oauth.phone, first.at("refresh_token"), "scope=read+write").error(), "invalid_scope");
  CHECK_EQ(oauth.refresh(oauth.phone, second.at("refresh_token")).status(), 200);  // nothing has ended
}

TEST_CASE("a refresh token that is reused after its grace ends the family (T41)") {
  OauthWorld oauth{{.seed = 14}};
  auto first = oauth.redeem(oauth.phone, oauth.authorize(alice, oauth.phone));
  auto second = oauth.refresh(oauth.phone, first.at("refresh_token"));
  oauth.advance(31s);
  CHECK_EQ(oauth.refresh(oauth.phone, first.at("refresh_token")).error(), "invalid_grant");
  CHECK_FALSE(oauth.is_active(second.at("access_token")));
  CHECK_EQ(oauth.refresh(oauth.phone, second.at("refresh_token")).error(), "invalid_grant");
}

TEST_CASE("a refresh may narrow the scope and not widen it (T43)") {
  OauthWorld oauth{{.seed = 15}};
  auto first = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  auto narrow = oauth.refresh(oauth.web_shop, first.at("refresh_token"), "scope=read");
  CHECK_EQ(narrow.at("scope"), "read");
  CHECK_EQ(oauth.refresh(oauth.web_shop, first.at("refresh_token"), "scope=write").error(), "invalid_scope");
}

TEST_CASE("tokens end: by time, by their client, by the user's signing out (T55)") {
  OauthWorld oauth{{.seed = 16}};
  auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  auto access = tokens.at("access_token");
  CHECK_EQ(oauth.post_as(oauth.web_shop, "/oauth/revoke", {{"token", access}}).status(), 200);
  CHECK_FALSE(oauth.is_active(access));
  CHECK_EQ(oauth.userinfo(access).status(), 401);
  CHECK(oauth.is_active(tokens.at("refresh_token")));

  auto fresh = oauth.refresh(oauth.web_shop, tokens.at("refresh_token"));
  oauth.post_as(oauth.web_shop, "/oauth/revoke", {{"token", tokens.at("refresh_token")}});
  CHECK_FALSE(oauth.is_active(fresh.at("access_token")));  // the whole family

  auto old = oauth.post_as(oauth.web_shop, "/oauth/token", {{"grant_type", "client_credentials"}});
  CHECK(oauth.is_active(old.at("access_token")));
  oauth.advance(601s);
  CHECK_FALSE(oauth.is_active(old.at("access_token")));
}

TEST_CASE("a client may ask for narrower topics than it is registered for, everywhere, and for no others") {
  OauthWorld oauth{{.seed = 15}};
  constexpr auto narrow = "topic:chat.x:subscribe";
  constexpr std::string_view others[] = {"topic:chat.>:subscribe", "topic:chat.x:publish", "topic:chat.x.y:subscribe",
                                         "topic:*.x:subscribe", "topic:news.x:subscribe"};

  // For itself.
  auto by_itself = [&](std::string_view scope) {
    return oauth.post_as(oauth.chat, "/oauth/token",
                         {{"grant_type", "client_credentials"}, {"scope", std::string{scope}}});
  };
  CHECK_EQ(by_itself(narrow).at("scope"), narrow);

  // For a user, who is asked for just that.
  auto query = [&](std::string_view scope) {
    return oauth.authorization_query(oauth.chat, fmt::format("scope=offline_access {}", scope));
  };
  Browser browser{oauth};
  auto login = browser.follow(browser.get("/oauth/authorize?" + query("topic:chat.*:subscribe")));
  auto consent =
      browser.follow(browser.submit(login, "/login", {{"username", alice.name}, {"password", alice.password}}));
  auto back = browser.submit(consent, "/consent", {{"decision", "allow"}});
  auto tokens = oauth.redeem(oauth.chat, std::string{back.location_query().get("code").value_or("")});
  CHECK_EQ(tokens.at("scope"), "offline_access topic:chat.*:subscribe");
  auto again = browser.get("/oauth/authorize?" + query(narrow));  // who agreed to more has agreed to this
  CHECK_EQ(oauth.redeem(oauth.chat, std::string{again.location_query().get("code").value_or("")}).at("scope"),
           fmt::format("offline_access {}", narrow));

  // And at refresh, of what was granted.
  auto refreshed = [&](std::string_view scope) {
    return oauth.refresh(oauth.chat, tokens.at("refresh_token"), fmt::format("scope={}", scope));
  };
  CHECK_EQ(refreshed(narrow).at("scope"), narrow);
  CHECK_EQ(refreshed("notes").error(), "invalid_scope");  // registered, but not granted

  for (auto other : others) {
    CAPTURE(other);
    CHECK_EQ(by_itself(other).error(), "invalid_scope");
    CHECK_EQ(browser.get("/oauth/authorize?" + query(other)).location_query().get("error"), "invalid_scope");
    CHECK_EQ(refreshed(other).error(), "invalid_scope");
  }
}

}  // namespace
}  // namespace troupe::oauth::test
