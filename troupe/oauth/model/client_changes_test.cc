// What changed of a client is told by names, all of it and nothing else.
#include "troupe/oauth/model/client_changes.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

Client changed(void (*deed)(Client&)) {
  Client client;
  deed(client);
  return client;
}

TEST_CASE("each member that changes is told by its name, and what is grave by a word of its own") {
  struct Row {
    std::string_view told;
    void (*deed)(Client&);
  };
  const Row rows[] = {
      {"", [](Client& c) { ++c.version; }},
      {"disabled", [](Client& c) { c.state = ClientState::disabled; }},
      {"pkce_optional", [](Client& c) { c.metadata.pkce = PkcePolicy::optional; }},
      {"client_name", [](Client& c) { c.metadata.name = "x"; }},
      {"redirect_uris", [](Client& c) { c.metadata.redirect_uris = {"https://a.example/cb"}; }},
      {"post_logout_redirect_uris",
       [](Client& c) { c.metadata.post_logout_redirect_uris = {"https://a.example/out"}; }},
      {"grant_types", [](Client& c) { c.metadata.grant_types = {GrantType::client_credentials}; }},
      {"scope", [](Client& c) { c.metadata.scope = ScopeSet::parse("read").value(); }},
      {"token_endpoint_auth_method", [](Client& c) { c.metadata.auth_method = ClientAuthMethod::none; }},
      {"token_endpoint_auth_signing_alg", [](Client& c) { c.metadata.auth_signing_alg = crypto::Algorithm::es256; }},
      {"jwks", [](Client& c) { c.metadata.jwks = R"({"keys":[]})"; }},
      {"jwks_uri", [](Client& c) { c.metadata.jwks_uri = "https://a.example/jwks"; }},
      {"backchannel_logout_uri", [](Client& c) { c.metadata.backchannel_logout_uri = "https://a.example/bye"; }},
      {"backchannel_logout_session_required", [](Client& c) { c.metadata.logout_requires_session = true; }},
      {"access_token_format", [](Client& c) { c.metadata.access_token_format = AccessTokenFormat::opaque; }},
      {"access_token_signed_response_alg", [](Client& c) { c.metadata.access_token_alg = crypto::Algorithm::eddsa; }},
      {"id_token_signed_response_alg", [](Client& c) { c.metadata.id_token_alg = crypto::Algorithm::eddsa; }},
      {"access_token_lifetime", [](Client& c) { c.metadata.access_token_ttl = std::chrono::seconds{60}; }},
      {"resources", [](Client& c) { c.metadata.resources = {"https://api.example"}; }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.told);
    CHECK_EQ(changes_between({}, changed(row.deed)), row.told);
    const bool is_of_metadata = !row.told.empty() && row.told != "disabled";
    CHECK_EQ(is_same({}, changed(row.deed).metadata), !is_of_metadata);
  }
}

TEST_CASE("what is grave stands first, and its way back has a word as well") {
  const Client open = changed([](Client& c) {
    c.metadata.pkce = PkcePolicy::optional;
    c.state = ClientState::disabled;
    c.metadata.name = "x";
  });
  CHECK_EQ(changes_between({}, open), "disabled, pkce_optional, client_name");
  CHECK_EQ(changes_between(open, {}), "enabled, client_name, require_pkce");
  CHECK_EQ(gravity_of(open.metadata), "pkce_optional");
  CHECK_EQ(gravity_of({}), "");
  CHECK_EQ(by_itself(""), "by_itself");
  CHECK_EQ(by_itself("scope, jwks"), "by_itself (scope, jwks)");
}

}  // namespace
}  // namespace troupe::oauth
