// Clients: names of their properties, and metadata that is refused.
#include "troupe/oauth/model/client.h"

#include <functional>

#include <doctest/doctest.h>
#include "troupe/oauth/model/errors.h"

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
