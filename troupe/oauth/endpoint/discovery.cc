// Discovery and the key set: public documents, the same for everybody.
#include "troupe/oauth/endpoint/discovery.h"

#include <fmt/format.h>
#include "troupe/crypto/digest.h"
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/grant/grants.h"
#include "troupe/oauth/model/claims_request.h"
#include "troupe/oauth/model/language.h"
#include "troupe/web/conditional.h"
#include "troupe/wire/json.h"
#include "troupe/wire/url.h"

namespace troupe::oauth {
namespace {

using Names = std::initializer_list<std::string_view>;

template <class List>
void write_list(wire::JsonWriter& writer, std::string_view name, const List& values) {
  writer.key(name).begin_array();
  for (const auto& value : values) writer.value(value);
  writer.end_array();
}

std::vector<std::string_view> grant_names() {
  std::vector<std::string_view> names;
  for (const GrantHandler& grant : all_grants()) names.push_back(text(grant.type));
  return names;
}

void write_addresses(wire::JsonWriter& writer, const OauthOptions& options) {
  writer.member("issuer", options.issuer)
      .member("authorization_endpoint", url_of(options, "/oauth/authorize"))
      .member("token_endpoint", url_of(options, "/oauth/token"))
      .member("jwks_uri", url_of(options, "/oauth/jwks"))
      .member("userinfo_endpoint", url_of(options, "/oauth/userinfo"))
      .member("introspection_endpoint", url_of(options, "/oauth/introspect"))
      .member("revocation_endpoint", url_of(options, "/oauth/revoke"))
      .member("end_session_endpoint", url_of(options, "/oauth/logout"));
  if (options.registration != Registration::closed) {
    writer.member("registration_endpoint", url_of(options, "/oauth/register"));
  }
}

void write_client_authentication(wire::JsonWriter& writer) {
  write_list(writer, "token_endpoint_auth_methods_supported",
             Names{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"});
  write_list(writer, "introspection_endpoint_auth_methods_supported",
             Names{"client_secret_basic", "client_secret_post", "private_key_jwt", "Bearer"});
  write_list(writer, "revocation_endpoint_auth_methods_supported",
             Names{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"});
  for (const std::string_view endpoint : {"token", "introspection", "revocation"}) {
    write_list(writer, fmt::format("{}_endpoint_auth_signing_alg_values_supported", endpoint),
               Names{"RS256", "ES256", "EdDSA"});
  }
}

void write_abilities(wire::JsonWriter& writer, const OauthOptions& options) {
  auto openid = ScopeSet::parse("openid profile email offline_access").value();
  write_list(writer, "scopes_supported", openid.united_with(options.scopes_supported));
  write_list(writer, "response_types_supported", Names{"code"});
  write_list(writer, "response_modes_supported", Names{"query", "form_post"});
  write_list(writer, "grant_types_supported", grant_names());
  write_list(writer, "subject_types_supported", Names{"public"});
  write_list(writer, "id_token_signing_alg_values_supported", Names{"RS256", "ES256", "EdDSA"});
  write_client_authentication(writer);
  write_list(writer, "code_challenge_methods_supported", Names{"S256"});
  write_list(writer, "prompt_values_supported", Names{"none", "login", "consent", "select_account"});
  write_list(writer, "acr_values_supported", Names{acr_password});
  write_list(writer, "ui_locales_supported", Names{tag_of(Language::english), tag_of(Language::german)});
  write_list(writer, "claims_supported",
             Names{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid",
                   "preferred_username", "email"});
  writer.member("authorization_response_iss_parameter_supported", true)
      .member("backchannel_logout_supported", true)
      .member("backchannel_logout_session_supported", true)
      .member("claims_parameter_supported", true)
      .member("request_parameter_supported", false)
      .member("request_uri_parameter_supported", false);
}

/// A public document that any page may read, and that a reader who has it already is not sent again.
web::Response public_document(const web::Request& http, const std::string& json, std::string etag,
                              int max_age_seconds) {
  auto response =
      web::unless_known(http, std::move(etag), max_age_seconds, [&] { return web::json_response(200, json); });
  response.headers.set("Access-Control-Allow-Origin", "*");
  return response;
}

}  // namespace

std::string url_of(const OauthOptions& options, std::string_view path) {
  auto issuer = wire::parse_url(options.issuer);
  return (issuer ? issuer->origin() : options.issuer) + std::string{path};
}

std::string discovery_document(const OauthOptions& options) {
  std::string json;
  wire::JsonWriter writer{json};
  writer.begin_object();
  write_addresses(writer, options);
  write_abilities(writer, options);
  writer.end_object();
  return json;
}

std::string etag_of(std::string_view document) {
  return fmt::format("\"{}\"", crypto::hex(crypto::sha256(document).view().substr(0, 8)));
}

Task<web::Response> discovery(ServicePtr service, web::Request http) {
  co_return public_document(http, service->discovery, service->discovery_etag, 3600);
}

Task<web::Response> jwks(ServicePtr service, web::Request http) {
  auto keys = co_await service->keys.ask(GetKeys{});
  if (!keys) co_return refuse(errors::temporarily_unavailable);
  // Nobody keeps a set that lacks a key which is about to come.
  const int max_age_seconds = (*keys)->is_complete ? 900 : 0;
  co_return public_document(http, (*keys)->jwks, (*keys)->jwks_etag, max_age_seconds);
}

}  // namespace troupe::oauth
