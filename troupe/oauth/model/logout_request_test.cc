// Requests to sign out: what of them is believed, and where a way leads back.
#include "troupe/oauth/model/logout_request.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "troupe/crypto/jwt.h"
#include "troupe/wire/base64.h"

namespace troupe::oauth {
namespace {

constexpr auto issuer = "https://issuer.example";
constexpr auto bye = "https://shop.example/bye";

const crypto::PrivateKey& our_key() {
  static const auto key = crypto::PrivateKey::generate(crypto::Algorithm::es256);
  return key;
}

KeySet our_keys() { return {.verifying = {our_key().public_key()}}; }

std::string signed_by(const crypto::PrivateKey& key, std::string_view claims, std::string_view typ = "JWT") {
  crypto::Signer signer{key};
  return crypto::sign_jwt(signer, typ, claims);
}

std::string claims_of(std::string_view iss = issuer) {
  return fmt::format(R"({{"iss":"{}","aud":"c_shop","sid":"s1","sub":"u_alice","exp":1}})", iss);
}

ClientPtr shop(ClientState state = ClientState::enabled) {
  Client client{.id = ClientId{"c_shop"}, .state = state};
  client.metadata.post_logout_redirect_uris = {bye, "https://shop.example/bye?a=1"};
  return std::make_shared<const Client>(std::move(client));
}

TEST_CASE("an ID token of ours is a hint, however long ago it has expired (T68)") {
  const auto hint = read_logout_hint(signed_by(our_key(), claims_of()), our_keys(), issuer);
  REQUIRE(hint);
  CHECK_EQ(hint->client, ClientId{"c_shop"});
  CHECK_EQ(hint->session, SessionId{"s1"});
}

TEST_CASE("what is no ID token of ours is no hint (T68)") {
  const auto foreign = crypto::PrivateKey::generate(crypto::Algorithm::es256);
  const std::string good = signed_by(our_key(), claims_of());
  const std::string payload = wire::to_base64url(claims_of());
  struct Row {
    const char* what;
    std::string text;
  };
  const Row rows[] = {
      {"nothing", ""},
      {"garbage", "garbage"},
      {"another's signature", signed_by(foreign, claims_of())},
      {"alg none", wire::to_base64url(R"({"alg":"none","typ":"JWT"})") + "." + payload + "."},
      {"no signature", good.substr(0, good.rfind('.') + 1)},
      {"another issuer", signed_by(our_key(), claims_of("https://other.example"))},
      {"an access token", signed_by(our_key(), claims_of(), "at+jwt")},
      {"no session", signed_by(our_key(), R"({"iss":"https://issuer.example","aud":"c_shop"})")},
      {"no client", signed_by(our_key(), R"({"iss":"https://issuer.example","sid":"s1"})")},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK_FALSE(read_logout_hint(row.text, our_keys(), issuer));
  }
}

TEST_CASE("a client is who the hint says, or the client_id where there is no hint; a contradiction is nobody") {
  const LogoutHint hint{ClientId{"c_shop"}, SessionId{"s1"}};
  const auto party = logout_party({.id_token_hint = "x", .client_id = "c_shop"}, hint);
  CHECK_EQ(party.client, ClientId{"c_shop"});
  CHECK_EQ(party.session, SessionId{"s1"});
  CHECK_EQ(logout_party({.id_token_hint = "x"}, hint).client, ClientId{"c_shop"});

  const auto said = logout_party({.client_id = "c_shop"}, std::nullopt);
  CHECK_EQ(said.client, ClientId{"c_shop"});
  CHECK_FALSE(said.session);
  CHECK_FALSE(logout_party({}, std::nullopt).client);
  const LogoutRequest contradiction{.id_token_hint = "x", .client_id = "c_other"};
  CHECK_FALSE(logout_party(contradiction, hint).client);
  CHECK_FALSE(logout_party(contradiction, hint).session);
  CHECK_FALSE(logout_party({.id_token_hint = "forged", .client_id = "c_shop"}, std::nullopt).client);
}

TEST_CASE("a way leads back to an address that the client has registered, byte for byte (T25)") {
  const auto way = [](std::string address, const ClientPtr& client) {
    return way_back({.post_logout_redirect_uri = std::move(address), .state = "a b&c"}, client);
  };
  CHECK_EQ(way(bye, shop()), "https://shop.example/bye?state=a+b%26c");
  CHECK_EQ(way("https://shop.example/bye?a=1", shop()), "https://shop.example/bye?a=1&state=a+b%26c");
  CHECK_EQ(way_back({.post_logout_redirect_uri = bye}, shop()), bye);
  for (const char* other : {"", "https://shop.example/bye/", "https://shop.example/BYE", "https://shop.example/bye?",
                            "https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"}) {
    CAPTURE(other);
    CHECK_FALSE(way(other, shop()));
  }
  CHECK_FALSE(way(bye, nullptr));
  CHECK_FALSE(way(bye, shop(ClientState::disabled)));
}

TEST_CASE("a request to sign out is read within bounds, and no parameter counts twice") {
  CHECK(read_logout_request({{"ui_locales", "de"}, {"logout_hint", "alice"}, {"state", std::string(2048, 's')}}));
  CHECK_FALSE(read_logout_request({{"state", std::string(2049, 's')}}));
  CHECK_FALSE(read_logout_request({{"logout_hint", std::string(257, 's')}}));
  CHECK_FALSE(read_logout_request({{"ui_locales", std::string(257, 's')}}));
  CHECK_FALSE(read_logout_request({{"client_id", "c_shop"}, {"client_id", "c_shop"}}));
  const wire::Form form{{"id_token_hint", "h"},
                        {"client_id", "c"},
                        {"post_logout_redirect_uri", bye},
                        {"state", "s"},
                        {"ui_locales", "de"}};
  CHECK_EQ(parameters_of(read_logout_request(form).value()), form);
  CHECK(parameters_of(read_logout_request({}).value()).empty());
}

}  // namespace
}  // namespace troupe::oauth
