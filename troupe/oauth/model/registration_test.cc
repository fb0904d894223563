// What an application says about itself when it registers: what is taken, what is refused, and why.
#include "troupe/oauth/model/registration.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

std::expected<ClientMetadata, OauthError> read(std::string_view text) {
  return read_registration(wire::parse_json(text).value(), OauthOptions{});
}

TEST_CASE("a redirect URI is enough; the rest is what RFC 7591 says of silence") {
  const auto metadata = read(R"({"redirect_uris":["https://app.example/cb"]})");
  REQUIRE(metadata.has_value());
  CHECK_EQ(metadata->name, "app.example");
  CHECK_EQ(metadata->auth_method, ClientAuthMethod::client_secret_basic);
  CHECK_EQ(metadata->grant_types, std::vector{GrantType::authorization_code});
  CHECK_EQ(metadata->scope, OauthOptions{}.registration_scopes);
  CHECK_EQ(metadata->pkce, PkcePolicy::required);
  CHECK_EQ(metadata->id_token_alg, crypto::Algorithm::rs256);
}

TEST_CASE("what is said is taken, and what nobody knows is passed over") {
  const auto metadata = read(R"({"redirect_uris":["https://app.example/cb","com.example.app:/cb"],"client_name":"App",
    "post_logout_redirect_uris":["https://app.example/bye"],"token_endpoint_auth_method":"none",
    "grant_types":["authorization_code","refresh_token","refresh_token"],"response_types":["code"],
    "scope":"openid email","id_token_signed_response_alg":"EdDSA","subject_type":"public","application_type":"native",
    "contacts":["a@app.example"],"tos_uri":"https://app.example/tos","logo_uri":null,"unheard_of":{"x":[1]}})");
  REQUIRE(metadata.has_value());
  CHECK_EQ(metadata->name, "App");
  CHECK(metadata->is_public());
  CHECK_EQ(metadata->redirect_uris.size(), 2);
  CHECK_EQ(metadata->post_logout_redirect_uris, std::vector<std::string>{"https://app.example/bye"});
  CHECK_EQ(metadata->grant_types, std::vector{GrantType::authorization_code, GrantType::refresh_token});
  CHECK_EQ(metadata->scope.text(), "email openid");
  CHECK_EQ(metadata->id_token_alg, crypto::Algorithm::eddsa);

  std::string written;
  wire::JsonWriter writer{written};
  writer.begin_object();
  write_metadata(writer, *metadata);
  writer.end_object();
  const auto again = read(written);
  REQUIRE(again.has_value());
  CHECK_EQ(again->redirect_uris, metadata->redirect_uris);
  CHECK_EQ(again->grant_types, metadata->grant_types);
  CHECK_EQ(again->scope, metadata->scope);
}

TEST_CASE("what may not be registered is refused with its reason (T5, T62)") {
  struct Row {
    const char* text;
    OauthError error;
    const char* says;
  };
  using namespace errors;
  const std::string many = [] {
    std::string list = R"({"redirect_uris":["https://a.example/0")";
    for (int i = 1; i <= 100; ++i) list += R"(,"https://a.example/)" + std::to_string(i) + '"';
    return list + "]}";
  }();
  const Row rows[] = {
      {"[]", invalid_client_metadata, "JSON object"},
      {"{}", invalid_redirect_uri, "needs a redirect URI"},
      {R"({"redirect_uris":"https://a.example"})", invalid_client_metadata, "redirect_uris"},
      {R"({"redirect_uris":[1]})", invalid_client_metadata, "redirect_uris"},
      {many.c_str(), invalid_client_metadata, "redirect_uris"},
      {R"({"redirect_uris":["https://a.example/#x"]})", invalid_redirect_uri, ""},
      {R"({"redirect_uris":["javascript:void"]})", invalid_redirect_uri, ""},
      {R"({"redirect_uris":["http://a.example/cb"]})", invalid_redirect_uri, ""},
      {R"({"redirect_uris":["https://a.example/"],"grant_types":["client_credentials"]})", invalid_client_metadata,
       "grant_types"},
      {R"({"redirect_uris":["https://a.example/"],"grant_types":["password"]})", invalid_client_metadata,
       "grant_types"},
      {R"({"redirect_uris":["https://a.example/"],"response_types":["token"]})", invalid_client_metadata,
       "response_types"},
      {R"({"redirect_uris":["https://a.example/"],"token_endpoint_auth_method":"private_key_jwt"})",
       invalid_client_metadata, "jwks"},
      {R"({"redirect_uris":["https://a.example/"],"token_endpoint_auth_method":"tls_client_auth"})",
       invalid_client_metadata, "token_endpoint_auth_method"},
      {R"({"redirect_uris":["https://a.example/"],"token_endpoint_auth_method":"client_secret"})",
       invalid_client_metadata, "token_endpoint_auth_method"},
      {R"({"redirect_uris":["https://a.example/"],"scope":"openid admin"})", invalid_client_metadata, "scope"},
      {R"({"redirect_uris":["https://a.example/"],"scope":"\u0000"})", invalid_client_metadata, "scope"},
      {R"({"redirect_uris":["https://a.example/"],"id_token_signed_response_alg":"none"})", invalid_client_metadata,
       "RS256"},
      {R"({"redirect_uris":["https://a.example/"],"subject_type":"pairwise"})", invalid_client_metadata,
       "subject_type"},
      {R"({"redirect_uris":["https://a.example/"],"client_name":7})", invalid_client_metadata, "client_name"},
      {R"({"redirect_uris":["https://a.example/"],"client_name":"\u200b \u3164"})", invalid_client_metadata,
       "no character that people see"},
      {R"({"redirect_uris":["https://a.example/"],"scope":["openid"]})", invalid_client_metadata, "scope must be text"},
      {R"({"redirect_uris":["https://a.example/"],"jwks":[]})", invalid_client_metadata, "JSON object"},
      {R"({"redirect_uris":["https://a.example/"],"jwks":{"keys":7}})", invalid_client_metadata, "a list"},
      {R"({"redirect_uris":["https://a.example/"],"client_name":"a\u0007b"})", invalid_client_metadata, "name"},
      {R"({"redirect_uris":["https://a.example/"],"require_pkce":"no"})", invalid_client_metadata, "require_pkce"},
      {R"({"redirect_uris":["https://a.example/"],"require_pkce":false,"token_endpoint_auth_method":"none"})",
       invalid_client_metadata, "PKCE"},
      {R"({"redirect_uris":["https://a.example/"],"software_statement":"a.b.c"})", invalid_software_statement, ""},
  };
  for (const auto& [text, error, says] : rows) {
    CAPTURE(text);
    const auto metadata = read(text);
    REQUIRE_FALSE(metadata.has_value());
    CHECK_EQ(metadata.error().code, error.code);
    CHECK(metadata.error().description.contains(says));
  }
}

std::string uris(int count, std::size_t bytes) {
  std::string list = R"({"redirect_uris":[)";
  for (int i = 0; i < count; ++i) {
    std::string uri = "https://a.example/" + std::to_string(100 + i);
    uri.resize(bytes, 'x');
    list += (i > 0 ? ",\"" : "\"") + uri + '"';
  }
  return list + "]}";
}

TEST_CASE("a client that registers itself has as many URIs as any other, within 16 KiB for all that it says") {
  CHECK_EQ(read(uris(100, 100)).value().redirect_uris.size(), 100);
  CHECK(read(uris(7, 2048)).has_value());
  const auto refused = read(uris(8, 2048));
  REQUIRE_FALSE(refused.has_value());
  CHECK_EQ(refused.error().code, errors::invalid_client_metadata.code);
  CHECK(refused.error().description.contains("16 KiB"));
}

TEST_CASE("a client may say again what it has, however much that is, and no more") {
  const auto document = [](int count) { return wire::parse_json(uris(count, 2000)).value(); };
  ClientMetadata present;
  present.redirect_uris.assign(20, std::string(2000, 'x'));
  present.name = "a.example";
  present.scope = OauthOptions{}.registration_scopes;
  CHECK(read_registration(document(20), OauthOptions{}, &present).has_value());
  CHECK_FALSE(read_registration(document(21), OauthOptions{}, &present).has_value());
  CHECK_FALSE(read_registration(document(20), OauthOptions{}).has_value());
}

}  // namespace
}  // namespace troupe::oauth
