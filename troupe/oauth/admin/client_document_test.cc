// The document of a client: every member is read, written, and reads back as it was.
#include "troupe/oauth/admin/client_document.h"

#include <doctest/doctest.h>

#include <set>

namespace troupe::oauth::admin {
namespace {

constexpr std::string_view full =
    R"({"client_name":"Shop","redirect_uris":["https://a.example/"],"post_logout_redirect_uris":["https://b.example/"],
        "grant_types":["authorization_code","refresh_token"],"scope":"read","enabled":false,
        "token_endpoint_auth_method":"client_secret_post","require_pkce":false,"access_token_format":"opaque",
        "access_token_signed_response_alg":"EdDSA","id_token_signed_response_alg":"ES256","access_token_lifetime":60,
        "token_endpoint_auth_signing_alg":"ES256","jwks":{"keys":[]},"jwks_uri":"https://keys.example/",
        "backchannel_logout_uri":"https://told.example/","backchannel_logout_session_required":true,
        "resources":["https://api.example","urn:example:stock"]})";

wire::Json written(const Client& client) {
  std::string json;
  wire::JsonWriter writer{json};
  write_client(writer, client);
  return wire::parse_json(json).value();
}

TEST_CASE("each member that is decided is taken, and written as it was read") {
  const auto document = wire::parse_json(full).value();
  CHECK_EQ(document.object()->size(), client_members.size());
  Client client;
  REQUIRE(apply(document, client).has_value());
  const auto again = written(client);
  for (const std::string_view name : client_members) {
    CAPTURE(name);
    REQUIRE(document.find(name) != nullptr);
    REQUIRE(again.find(name) != nullptr);
    CHECK(*again.find(name) == *document.find(name));
  }
}

TEST_CASE("null gives each member the value that a new client has") {
  Client client;
  REQUIRE(apply(wire::parse_json(full).value(), client).has_value());
  for (const std::string_view name : client_members) {
    wire::Json::Object nothing;
    nothing.push_back({std::string{name}, nullptr});
    CHECK(apply(wire::Json{std::move(nothing)}, client).has_value());
  }
  CHECK(written(client) == written(Client{}));
}

TEST_CASE("a value of another kind is refused, and says of which member") {
  for (const std::string_view name : client_members) {
    CAPTURE(name);
    wire::Json::Object object;
    object.push_back({std::string{name}, wire::Json{wire::Json::Object{}}});
    Client client;
    const auto applied = apply(wire::Json{std::move(object)}, client);
    REQUIRE_FALSE(applied.has_value());
    CHECK(applied.error().description.contains(name));
  }
}

}  // namespace
}  // namespace troupe::oauth::admin
