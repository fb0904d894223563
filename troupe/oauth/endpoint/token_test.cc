// The token endpoint under bad input and attack; each case names the rows of the threat list that it covers.
#include <doctest/doctest.h>
#include "troupe/oauth/sim/oauth_world.h"
#include "troupe/wire/base64.h"

namespace troupe::oauth::test {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a second redemption of a code takes back what the first one gave (T12)") {
  OauthWorld oauth{{.seed = 1}};
  auto code = oauth.authorize(alice, oauth.web_shop);
  auto first = oauth.redeem(oauth.web_shop, code);
  CHECK(oauth.is_active(first.at("access_token")));

  auto second = oauth.redeem(oauth.web_shop, code);
  CHECK_EQ(second.status(), 400);
  CHECK_EQ(second.error(), "invalid_grant");
  CHECK_FALSE(oauth.is_active(first.at("access_token")));
  CHECK_FALSE(oauth.is_active(first.at("refresh_token")));
}

TEST_CASE("of a thousand redemptions at once one succeeds (T13)") {
  OauthWorld oauth{{.seed = 2}};
  auto code = oauth.authorize(alice, oauth.web_shop);
  std::vector<web::Request> requests(
      1000, oauth.token_request(oauth.web_shop, {{"grant_type", "authorization_code"},
                                                 {"code", code},
                                                 {"redirect_uri", oauth.web_shop.redirect_uri},
                                                 {"code_verifier", std::string{oauth.verifier}}}));
  int granted = 0;
  std::string access;
  for (const Reply& reply : oauth.send_all(std::move(requests))) {
    if (reply.status() == 200) {
      ++granted;
      access = reply.at("access_token");
    } else {
      CHECK_EQ(reply.error(), "invalid_grant");
    }
  }
  CHECK_EQ(granted, 1);
  CHECK_FALSE(oauth.is_active(access));
}

TEST_CASE("of a hundred refreshes at once all get the same successor, and one family is alive (T42)") {
  OauthWorld oauth{{.seed = 3}};
  auto first = oauth.redeem(oauth.phone, oauth.authorize(alice, oauth.phone));
  std::vector<web::Request> requests(
      100, oauth.token_request(oauth.phone,
                               {{"grant_type", "refresh_token"}, {"refresh_token", first.at("refresh_token")}}));
  std::string successor;
  for (const Reply& reply : oauth.send_all(std::move(requests))) {
    REQUIRE_EQ(reply.status(), 200);
    if (successor.empty()) successor = reply.at("refresh_token");
    CHECK_EQ(reply.at("refresh_token"), successor);
  }
  CHECK_EQ(oauth.refresh(oauth.phone, successor).status(), 200);
}

TEST_CASE(
    "a code is good for its client, its address, its verifier and a minute; a failure does not spend it (T14-T19)") {
  OauthWorld oauth{{.seed = 4}};
  auto code = oauth.authorize(alice, oauth.web_shop);
  struct Row {
    const char* what;
    const ClientApp& client;
    std::string changes;
    const char* error;
  };
  std::string flipped = code;
  flipped[20] = flipped[20] == 'A' ? 'B' : 'A';
  const Row rows[] = {
      {"T14 another client", oauth.other_shop, "", "invalid_grant"},
      {"T15 a guess", oauth.web_shop, "code=ac_" + std::string(67, 'A'), "invalid_grant"},
      {"T15 a flipped bit", oauth.web_shop, "code=" + flipped, "invalid_grant"},
      {"T15 cut off", oauth.web_shop, "code=" + code.substr(0, 40), "invalid_grant"},
      {"T17 another address", oauth.web_shop, "redirect_uri=https://shop.example/cb2", "invalid_grant"},
      {"T17 no address", oauth.web_shop, "redirect_uri=-", "invalid_request"},
      {"T18 another verifier", oauth.web_shop, "code_verifier=" + std::string(43, 'x'), "invalid_grant"},
      {"T18 no verifier", oauth.web_shop, "code_verifier=-", "invalid_grant"},
      {"T18 a short verifier", oauth.web_shop, "code_verifier=short", "invalid_grant"},
      {"T18 a long verifier", oauth.web_shop, "code_verifier=" + std::string(129, 'x'), "invalid_grant"},
      {"T18 bad characters", oauth.web_shop, "code_verifier=" + std::string(43, '*'), "invalid_grant"},
      {"no code", oauth.web_shop, "code=-", "invalid_request"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    auto reply = oauth.redeem(row.client, code, row.changes);
    CHECK_EQ(reply.status(), 400);
    CHECK_EQ(reply.error(), row.error);
  }
  CHECK_EQ(oauth.redeem(oauth.web_shop, code).status(), 200);

  auto late = oauth.authorize(alice, oauth.web_shop);
  oauth.advance(61s);
  CHECK_EQ(oauth.redeem(oauth.web_shop, late).error(), "invalid_grant");  // T16
}

TEST_CASE("a wrong secret and an unknown client look the same (T33, T38)") {
  OauthWorld oauth{{.seed = 5}};
  const wire::Form form{{"grant_type", "client_credentials"}};
  ClientApp wrong = oauth.web_shop;
  wrong.secret = "guess";
  ClientApp unknown{.id = ClientId{"c_nobody"}, .secret = "guess"};
  ClientApp silent = oauth.web_shop;
  silent.secret = "";
  auto by_wrong = oauth.post_as(wrong, "/oauth/token", form);
  auto by_unknown = oauth.post_as(unknown, "/oauth/token", form);
  CHECK_EQ(by_wrong.status(), 401);
  CHECK_EQ(by_wrong.error(), "invalid_client");
  CHECK(by_wrong.header("www-authenticate").starts_with("Basic"));
  CHECK_EQ(by_wrong.body(), by_unknown.body());
  CHECK_EQ(by_unknown.status(), 401);

  auto by_silent = oauth.post_as(silent, "/oauth/token", form);  // T38: none, though it has a secret
  CHECK_EQ(by_silent.status(), 401);
}

TEST_CASE("a 401 names the scheme, however the client tried to prove itself (RFC 9110, 15.5.2)") {
  OauthWorld oauth{{.seed = 21}};
  for (const char* path : {"/oauth/token", "/oauth/introspect", "/oauth/revoke"}) {
    CAPTURE(path);
    const auto refused = Browser{oauth}.post(path, {{"grant_type", "client_credentials"},
                                                    {"token", "x"},
                                                    {"client_id", oauth.web_shop.id.value()},
                                                    {"client_secret", "guess"}});
    CHECK_EQ(refused.status(), 401);
    CHECK(refused.header("www-authenticate").starts_with("Basic realm="));
  }
}

TEST_CASE("a token request that makes no sense is refused by name") {
  OauthWorld oauth{{.seed = 6}};
  struct Row {
    const char* what;
    const ClientApp& client;
    wire::Form form;
    int status;
    const char* error;
  };
  const Row rows[] = {
      {"no grant type", oauth.web_shop, {{"code", "c1"}}, 400, "invalid_request"},
      {"T8 an empty one", oauth.web_shop, {{"grant_type", ""}}, 400, "invalid_request"},
      {"T7 a parameter twice",
       oauth.web_shop,
       {{"grant_type", "refresh_token"}, {"scope", "a"}, {"scope", "a"}},
       400,
       "invalid_request"},
      {"an unknown grant", oauth.web_shop, {{"grant_type", "magic"}}, 400, "unsupported_grant_type"},
      {"the password grant",
       oauth.web_shop,
       {{"grant_type", "password"}, {"username", "alice"}},
       400,
       "unsupported_grant_type"},
      {"a grant that is not the client's",
       oauth.api,
       {{"grant_type", "authorization_code"}, {"code", "x"}},
       400,
       "unauthorized_client"},
      {"a public client for itself", oauth.phone, {{"grant_type", "client_credentials"}}, 400, "unauthorized_client"},
      {"T11 too much scope",
       oauth.web_shop,
       {{"grant_type", "client_credentials"}, {"scope", "admin"}},
       400,
       "invalid_scope"},
      {"T11 a user's scope without one",
       oauth.web_shop,
       {{"grant_type", "client_credentials"}, {"scope", "openid"}},
       400,
       "invalid_scope"},
      {"T11 bad characters",
       oauth.web_shop,
       {{"grant_type", "client_credentials"}, {"scope", "a\"b"}},
       400,
       "invalid_scope"},
      {"T79 an unknown resource",
       oauth.web_shop,
       {{"grant_type", "client_credentials"}, {"resource", "https://x"}},
       400,
       "invalid_target"},
      {"no refresh token", oauth.web_shop, {{"grant_type", "refresh_token"}}, 400, "invalid_request"},
      {"a refresh token that is none",
       oauth.web_shop,
       {{"grant_type", "refresh_token"}, {"refresh_token", "rt_x"}},
       400,
       "invalid_grant"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    auto reply = oauth.post_as(row.client, "/oauth/token", row.form);
    CHECK_EQ(reply.status(), row.status);
    CHECK_EQ(reply.error(), row.error);
    CHECK_EQ(reply.header("cache-control"), "no-store");
  }
}

TEST_CASE("the token endpoint is for POST alone, and reads no query (T37)") {
  OauthWorld oauth{{.seed = 7}};
  auto by_get = oauth.send({.method = web::Method::get, .path = "/oauth/token"});
  CHECK_EQ(by_get.status(), 405);
  CHECK(by_get.header("allow").contains("POST"));

  auto request = oauth.token_request(oauth.phone, {{"grant_type", "client_credentials"}});
  request.query = "client_secret=" + oauth.web_shop.secret;
  CHECK_EQ(oauth.send(request).error(), "unauthorized_client");  // still the phone
  request.query += "&client_id=" + oauth.web_shop.id.value();    // T7: one in each
  CHECK_EQ(oauth.send(request).error(), "invalid_request");
}

TEST_CASE("a refresh token is its client's alone (T40)") {
  OauthWorld oauth{{.seed = 8}};
  auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  CHECK_EQ(oauth.refresh(oauth.other_shop, tokens.at("refresh_token")).error(), "invalid_grant");
  CHECK_EQ(oauth.refresh(oauth.web_shop, tokens.at("refresh_token")).status(), 200);
  CHECK_EQ(oauth.refresh(oauth.web_shop, tokens.at("access_token")).error(), "invalid_grant");
}

}  // namespace
}  // namespace troupe::oauth::test
