// See client_document.h. Each member is one row of a table.
#include "troupe/oauth/admin/client_document.h"

#include <algorithm>

#include "troupe/oauth/model/registration.h"

namespace troupe::oauth::admin {
namespace {

using wire::Json;

/// Takes the value into the client; false where it is none for this member.
using Take = bool (*)(const Json& value, Client& client);
using Reset = void (*)(Client& client);

struct Member {
  std::string_view name;
  Take take;
  Reset reset;
  std::string_view wanted;  // what the client is told of a value that is none
};

template <auto field>
void reset(Client& client) {
  client.metadata.*field = ClientMetadata{}.*field;
}

template <auto field>
bool take_texts(const Json& value, Client& client) {
  if (value.array() == nullptr) return false;
  std::vector<std::string> texts;
  for (const Json& one : *value.array()) {
    const std::string* text = one.string();
    if (text == nullptr) return false;
    texts.push_back(*text);
  }
  client.metadata.*field = std::move(texts);
  return true;
}

/// A value that has a name.
template <auto field, auto named>
bool take_named(const Json& value, Client& client) {
  const std::string* text = value.string();
  if (text == nullptr) return false;
  const auto found = named(*text);
  if (found) client.metadata.*field = *found;
  return found.has_value();
}

std::optional<AccessTokenFormat> format_named(std::string_view name) {
  if (name == "jwt") return AccessTokenFormat::jwt;
  if (name == "opaque") return AccessTokenFormat::opaque;
  return std::nullopt;
}

template <auto field>
bool take_text(const Json& value, Client& client) {
  const std::string* text = value.string();
  if (text != nullptr) client.metadata.*field = *text;
  return text != nullptr;
}

bool take_jwks(const Json& value, Client& client) {
  if (value.object() == nullptr || value.find("keys") == nullptr) return false;
  client.metadata.jwks = wire::write_json(value);
  return true;
}

bool take_session_required(const Json& value, Client& client) {
  if (value.boolean() == nullptr) return false;
  client.metadata.logout_requires_session = *value.boolean();
  return true;
}

bool take_grants(const Json& value, Client& client) {
  if (value.array() == nullptr) return false;
  ClientMetadata taken;
  taken.grant_types.clear();
  for (const Json& one : *value.array()) {
    const auto type = one.string() != nullptr ? grant_type_named(*one.string()) : std::nullopt;
    if (!type) return false;
    if (!taken.may_use(*type)) taken.grant_types.push_back(*type);
  }
  client.metadata.grant_types = std::move(taken.grant_types);
  return true;
}

bool take_scope(const Json& value, Client& client) {
  if (value.string() == nullptr) return false;
  auto scope = ScopeSet::parse(*value.string());
  if (scope) client.metadata.scope = *std::move(scope);
  return scope.has_value();
}

bool take_pkce(const Json& value, Client& client) {
  if (value.boolean() == nullptr) return false;
  client.metadata.pkce = *value.boolean() ? PkcePolicy::required : PkcePolicy::optional;
  return true;
}

bool take_state(const Json& value, Client& client) {
  if (value.boolean() == nullptr) return false;
  client.state = *value.boolean() ? ClientState::enabled : ClientState::disabled;
  return true;
}

bool take_lifetime(const Json& value, Client& client) {
  const std::int64_t* seconds = value.integer();
  if (seconds == nullptr || *seconds < 1 || *seconds > access_token_ttl_max.count()) return false;
  client.metadata.access_token_ttl = std::chrono::seconds{*seconds};
  return true;
}

using M = ClientMetadata;

constexpr Member members[] = {
    {"client_name", take_text<&M::name>, reset<&M::name>, "The client_name must be text."},
    {"redirect_uris", take_texts<&M::redirect_uris>, reset<&M::redirect_uris>,
     "The redirect_uris must be a list of URIs."},
    {"post_logout_redirect_uris", take_texts<&M::post_logout_redirect_uris>, reset<&M::post_logout_redirect_uris>,
     "The post_logout_redirect_uris must be a list of URIs."},
    {"grant_types", take_grants, reset<&M::grant_types>,
     "The grant_types may be authorization_code, refresh_token and client_credentials."},
    {"scope", take_scope, reset<&M::scope>, "The scope must be up to 100 words with a space between."},
    {"enabled", take_state, [](Client& client) { client.state = ClientState::enabled; },
     "The member enabled must be true or false."},
    {"token_endpoint_auth_method", take_named<&M::auth_method, client_auth_method_named>, reset<&M::auth_method>,
     "The token_endpoint_auth_method may be client_secret, client_secret_basic, client_secret_post, private_key_jwt or "
     "none."},
    {"token_endpoint_auth_signing_alg", take_named<&M::auth_signing_alg, crypto::algorithm_named>,
     reset<&M::auth_signing_alg>, "The token_endpoint_auth_signing_alg may be RS256, ES256 or EdDSA."},
    {"jwks", take_jwks, reset<&M::jwks>, "The jwks must be a JWK Set: an object with the member keys."},
    {"jwks_uri", take_text<&M::jwks_uri>, reset<&M::jwks_uri>, "The jwks_uri must be text."},
    {"backchannel_logout_uri", take_text<&M::backchannel_logout_uri>, reset<&M::backchannel_logout_uri>,
     "The backchannel_logout_uri must be text."},
    {"backchannel_logout_session_required", take_session_required, reset<&M::logout_requires_session>,
     "The backchannel_logout_session_required must be true or false."},
    {"require_pkce", take_pkce, reset<&M::pkce>, "The member require_pkce must be true or false."},
    {"access_token_format", take_named<&M::access_token_format, format_named>, reset<&M::access_token_format>,
     "The access_token_format may be jwt or opaque."},
    {"access_token_signed_response_alg", take_named<&M::access_token_alg, crypto::algorithm_named>,
     reset<&M::access_token_alg>, "The access_token_signed_response_alg may be ES256, RS256 or EdDSA."},
    {"id_token_signed_response_alg", take_named<&M::id_token_alg, crypto::algorithm_named>, reset<&M::id_token_alg>,
     "The id_token_signed_response_alg may be RS256, ES256 or EdDSA."},
    {"access_token_lifetime", take_lifetime, reset<&M::access_token_ttl>,
     "The access_token_lifetime is 1 to 3600 seconds."},
    {"resources", take_texts<&M::resources>, reset<&M::resources>, "The resources must be a list of URIs."},
};

}  // namespace

std::expected<void, OauthError> apply(const wire::Json& document, Client& client) {
  for (const Member& member : members) {
    const Json* value = document.find(member.name);
    if (value == nullptr) continue;
    if (value->is_null()) {
      member.reset(client);
    } else if (!member.take(*value, client)) {
      return std::unexpected(errors::invalid_client_metadata.because(member.wanted));
    }
  }
  return {};
}

void write_client(wire::JsonWriter& writer, const Client& client, const std::optional<ClientSecret>& secret) {
  writer.begin_object()
      .member("client_id", client.id.value())
      .member("client_id_issued_at", client.created_at.seconds())
      .member("enabled", client.state == ClientState::enabled);
  if (secret) writer.member("client_secret", secret->expose()).member("client_secret_expires_at", 0);  // never
  write_metadata(writer, client.metadata);
  writer.end_object();
}

}  // namespace troupe::oauth::admin
