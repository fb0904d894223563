// Clients: names of their properties, and metadata that is refused.
#include "troupe/oauth/model/client.h"

#include <functional>

#include <doctest/doctest.h>
#include "troupe/oauth/model/errors.h"
#include "troupe/wire/json.h"

namespace troupe::oauth {
namespace {

ClientMetadata web_application() {
  return {.name = "Web", .redirect_uris = {"https://app.example/cb"}, .scope = ScopeSet::parse("read").value()};
}

TEST_CASE("names of grants and methods read back as what they were written from") {
  for (auto type : {GrantType::authorization_code, GrantType::refresh_token, GrantType::client_credentials}) {
    CHECK(grant_type_named(text(type)) == type);
  }
  for (auto method : {ClientAuthMethod::none, ClientAuthMethod::client_secret, ClientAuthMethod::client_secret_basic,
                      ClientAuthMethod::client_secret_post}) {
    CHECK(client_auth_method_named(text(method)) == method);
  }
  CHECK_FALSE(grant_type_named("password"));
  CHECK_FALSE(client_auth_method_named("tls_client_auth"));
}

TEST_CASE("metadata that cannot work or is not safe is refused (T5, T62)") {
  struct Row {
    const char* what;
    std::function<void(ClientMetadata&)> spoil;
    OauthError error;
  };
  const Row rows[] = {
      {"no name", [](auto& m) { m.name = ""; }, errors::invalid_client_metadata},
      {"a name of 201 bytes", [](auto& m) { m.name = std::string(201, 'n'); }, errors::invalid_client_metadata},
      {"a name that is no UTF-8", [](auto& m) { m.name = "\xff"; }, errors::invalid_client_metadata},
      {"a name of two lines", [](auto& m) { m.name = "a\nb"; }, errors::invalid_client_metadata},
      {"a name of spaces", [](auto& m) { m.name = "  \u00a0\u3000"; }, errors::invalid_client_metadata},
      {"a name of what has no shape", [](auto& m) { m.name = "\u200b\u2060\ufeff\u3164"; },
       errors::invalid_client_metadata},
      {"101 redirect URIs", [](auto& m) { m.redirect_uris.assign(101, "https://app.example/cb"); },
       errors::invalid_client_metadata},
      {"101 places to go to", [](auto& m) { m.post_logout_redirect_uris.assign(101, "https://app.example/out"); },
       errors::invalid_client_metadata},
      {"a script as redirect URI", [](auto& m) { m.redirect_uris = {"javascript:x"}; }, errors::invalid_redirect_uri},
      {"a code without redirect URI", [](auto& m) { m.redirect_uris = {}; }, errors::invalid_redirect_uri},
      {"tokens that live for no time", [](auto& m) { m.access_token_ttl = std::chrono::seconds{0}; },
       errors::invalid_client_metadata},
      {"tokens that live for a day", [](auto& m) { m.access_token_ttl = std::chrono::hours{24}; },
       errors::invalid_client_metadata},
      {"no grant", [](auto& m) { m.grant_types = {}; }, errors::invalid_client_metadata},
      {"refreshing nothing", [](auto& m) { m.grant_types = {GrantType::refresh_token}; },
       errors::invalid_client_metadata},
      {"public without PKCE",
       [](auto& m) {
         m.auth_method = ClientAuthMethod::none;
         m.pkce = PkcePolicy::optional;
       },
       errors::invalid_client_metadata},
      {"public with credentials",
       [](auto& m) {
         m.auth_method = ClientAuthMethod::none;
         m.grant_types = {GrantType::client_credentials};
       },
       errors::invalid_client_metadata},
      {"public, and the server of a resource",
       [](auto& m) {
         m.auth_method = ClientAuthMethod::none;
         m.resources = {"https://api.example"};
       },
       errors::invalid_client_metadata},
      {"the server of 21 resources", [](auto& m) { m.resources.assign(21, "https://api.example"); },
       errors::invalid_client_metadata},
      {"a resource that is relative", [](auto& m) { m.resources = {"https://api.example", "/orders"}; },
       errors::invalid_client_metadata},
      {"a resource with a fragment", [](auto& m) { m.resources = {"https://api.example/#orders"}; },
       errors::invalid_client_metadata},
      {"a resource of two words", [](auto& m) { m.resources = {"https://api.example https://other.example"}; },
       errors::invalid_client_metadata},
      {"a resource without a name", [](auto& m) { m.resources = {""}; }, errors::invalid_client_metadata},
      {"a resource that is too long", [](auto& m) { m.resources = {"urn:" + std::string(2048, 'x')}; },
       errors::invalid_client_metadata},
  };
  CHECK_FALSE(fault_in(web_application()));
  for (const Row& row : rows) {
    CAPTURE(row.what);
    ClientMetadata metadata = web_application();
    row.spoil(metadata);
    auto fault = fault_in(metadata);
    REQUIRE(fault);
    CHECK(*fault == row.error);
  }
}

std::string jwks_of(std::initializer_list<std::pair<const crypto::PrivateKey*, const char*>> keys) {
  std::string all;
  for (const auto& [key, kid] : keys) {
    wire::Json jwk = wire::parse_json(key->public_key().jwk()).value();
    std::erase_if(*jwk.object(), [](const auto& member) { return member.name == "kid"; });
    if (*kid != '\0') jwk.object()->push_back({"kid", kid});
    all += (all.empty() ? "" : ",") + wire::write_json(jwk);
  }
  return R"({"keys":[)" + all + "]}";
}

TEST_CASE("keys that cannot be told apart, and an algorithm that none of them is for, are refused") {
  const auto one = crypto::PrivateKey::generate(crypto::Algorithm::es256);
  const auto two = crypto::PrivateKey::generate(crypto::Algorithm::es256);
  const auto other = crypto::PrivateKey::generate(crypto::Algorithm::eddsa);
  struct Row {
    const char* what;
    std::string jwks;
    std::optional<crypto::Algorithm> algorithm;
    std::string_view told;  // "": it is taken
  };
  const Row rows[] = {
      {"two of one kid", jwks_of({{&one, "a"}, {&two, "a"}}), {}, "same kid"},
      {"two of one kid among others", jwks_of({{&one, "a"}, {&other, "b"}, {&two, "a"}}), {}, "same kid"},
      {"the same key twice", jwks_of({{&one, "a"}, {&one, "a"}}), {}, "same kid"},
      {"two without a kid", jwks_of({{&one, ""}, {&two, ""}}), {}, "same kid, or none"},
      {"two of two names", jwks_of({{&one, "a"}, {&two, "b"}}), {}, ""},
      {"one name for two kinds of keys", jwks_of({{&one, "a"}, {&other, "a"}}), {}, ""},
      {"one of each without a kid", jwks_of({{&one, ""}, {&other, ""}}), {}, ""},
      {"an algorithm of no key", jwks_of({{&one, "a"}}), crypto::Algorithm::rs256, "token_endpoint_auth_signing_alg"},
      {"an algorithm of the second", jwks_of({{&one, "a"}, {&other, "a"}}), crypto::Algorithm::eddsa, ""},
      {"an algorithm, and keys elsewhere", "", crypto::Algorithm::rs256, ""},
      {"a private key", R"({"keys":[)" + std::string{one.jwk().expose()} + "]}", {}, "private"},
      {"no list", R"({"keys":{}})", {}, "member keys: a list"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    ClientMetadata metadata = web_application();
    metadata.auth_method = ClientAuthMethod::private_key_jwt;
    metadata.jwks = row.jwks;
    metadata.auth_signing_alg = row.algorithm;
    if (row.jwks.empty()) metadata.jwks_uri = "https://app.example/keys";
    const auto fault = fault_in(metadata);
    REQUIRE_EQ(fault.has_value(), !row.told.empty());
    if (!fault) continue;
    CHECK_EQ(fault->code, errors::invalid_client_metadata.code);
    CHECK(fault->description.contains(row.told));
  }
}

TEST_CASE("a hundred redirect URIs are fine, and so is a name that only has something to see") {
  ClientMetadata metadata = web_application();
  metadata.redirect_uris.assign(client_uris_max, "https://app.example/cb");
  metadata.name = "\u200f\u05d0";
  CHECK_FALSE(fault_in(metadata));
}

TEST_CASE("a slip in the scope of a topic is refused where it is new") {
  const auto words = [](std::string_view text) { return ScopeSet::parse(text).value(); };
  CHECK_FALSE(fault_in_words(words("openid read topic:a.*:publish")));
  CHECK(fault_in_words(words("openid topic:a.*:pubish")));
  CHECK(fault_in_words(words("topic:a.>.b:publish")));
  CHECK_FALSE(fault_in_words(words("openid topic:news"), words("topic:news")));
  CHECK(fault_in_words(words("topic:news topic:other"), words("topic:news")));
  CHECK_EQ(slip_in(words("openid topic:*.*.*.*.*:subscribe topic:*.*.*.*:publish")), "topic:*.*.*.*.*:subscribe");
}

TEST_CASE("who is the server of a resource serves tokens for it, whomever they are for besides") {
  ClientMetadata metadata = web_application();
  CHECK_FALSE(metadata.serves({"https://api.example"}));
  CHECK_FALSE(metadata.serves({}));
  metadata.resources.assign(19, "urn:example:stock");
  metadata.resources.push_back("https://api.example");
  CHECK_FALSE(fault_in(metadata));
  CHECK(metadata.serves({"https://as.example", "https://api.example"}));
  for (const char* other : {"https://api.example/", "https://api.example.org", "https://API.example"})
    CHECK_FALSE(metadata.serves({other}));
}

TEST_CASE("a redirect URI that says an answer is not given to a client, and one that it has had is in nobody's way") {
  const std::vector<std::string> good{"https://app.example/cb?x=1"}, bad{"https://app.example/cb?state=1"};
  CHECK_FALSE(fault_in_uris(good));
  CHECK_EQ(fault_in_uris(bad)->code, errors::invalid_redirect_uri.code);
  CHECK_FALSE(fault_in_uris(bad, bad));
  CHECK(fault_in_uris({bad[0], "https://app.example/cb?code=1"}, bad));
}

}  // namespace
}  // namespace troupe::oauth
