// See registration.h.
#include "troupe/oauth/model/registration.h"

#include <algorithm>

#include "troupe/oauth/model/fetched_uri.h"
#include "troupe/wire/url.h"

namespace troupe::oauth {
namespace {

using wire::Json;
using Checked = std::expected<void, OauthError>;

std::unexpected<OauthError> refused(std::string_view why) {
  return std::unexpected(errors::invalid_client_metadata.because(why));
}

/// Calls `take` with the text of that member, where there is one.
template <class Take>
Checked with_text(const Json& document, std::string_view name, std::string_view why, Take take) {
  const Json* member = document.find(name);
  if (member == nullptr || member->is_null()) return {};
  if (member->string() == nullptr) return refused(why);
  return take(*member->string());
}

/// Calls `take` with each text of that list, where there is one; the list takes the place of what stood in `into`.
template <class List, class Take>
Checked with_texts(const Json& document, std::string_view name, std::string_view why, List& into, Take take) {
  const Json* member = document.find(name);
  if (member == nullptr || member->is_null()) return {};
  if (member->array() == nullptr) return refused(why);
  into.clear();
  for (const Json& one : *member->array()) {
    if (one.string() == nullptr) return refused(why);
    if (auto taken = take(*one.string()); !taken) return taken;
  }
  return {};
}

/// The texts of that list as they are.
Checked read_texts(const Json& document, std::string_view name, std::string_view why, std::vector<std::string>& into) {
  return with_texts(document, name, why, into, [&](const std::string& one) -> Checked {
    into.push_back(one);
    return {};
  });
}

Checked read_addresses(const Json& document, ClientMetadata& metadata) {
  auto read =
      read_texts(document, "redirect_uris", "The redirect_uris must be a list of URIs.", metadata.redirect_uris);
  if (!read) return read;
  return read_texts(document, "post_logout_redirect_uris", "The post_logout_redirect_uris must be a list of URIs.",
                    metadata.post_logout_redirect_uris);
}

/// A client that registers itself acts for people alone: what it may do for itself an operator decides.
Checked read_grants(const Json& document, const ClientMetadata* present, ClientMetadata& metadata) {
  constexpr std::string_view why = "The grant_types may be authorization_code and refresh_token.";
  const auto add_grant = [&](const std::string& name) -> Checked {
    const auto grant = grant_type_named(name);
    const bool is_known = present != nullptr && grant && present->may_use(*grant);
    if (!grant || (*grant == GrantType::client_credentials && !is_known)) return refused(why);
    if (!metadata.may_use(*grant)) metadata.grant_types.push_back(*grant);
    return {};
  };
  if (auto read = with_texts(document, "grant_types", why, metadata.grant_types, add_grant); !read) return read;
  std::vector<std::string> types;
  constexpr std::string_view only_code = "The response_types may be code alone.";
  if (auto read = read_texts(document, "response_types", only_code, types); !read) return read;
  const bool is_code = std::ranges::all_of(types, [](const std::string& type) { return type == "code"; });
  if (!is_code) return refused(only_code);
  return {};
}

Checked read_proof(const Json& document, const ClientMetadata* present, ClientMetadata& metadata) {
  metadata.auth_method = ClientAuthMethod::client_secret_basic;  // RFC 7591, section 2
  constexpr std::string_view why =
      "The token_endpoint_auth_method may be client_secret_basic, client_secret_post, private_key_jwt or none.";
  auto method = with_text(document, "token_endpoint_auth_method", why, [&](const std::string& name) -> Checked {
    const auto named = client_auth_method_named(name);
    const bool is_known = present != nullptr && named && present->auth_method == *named;
    if (!named || (*named == ClientAuthMethod::client_secret && !is_known)) return refused(why);
    metadata.auth_method = *named;
    return {};
  });
  if (!method) return method;
  const Json* pkce = document.find("require_pkce");
  if (pkce == nullptr || pkce->is_null()) return {};
  if (pkce->boolean() == nullptr) return refused("The member require_pkce must be true or false.");
  metadata.pkce = *pkce->boolean() ? PkcePolicy::required : PkcePolicy::optional;
  return {};
}

/// A URI that the server would ask, or post to.
Checked read_fetched(const Json& document, std::string_view name, std::string_view why, const OauthOptions& options,
                     std::string& into) {
  return with_text(document, name, why, [&](const std::string& uri) -> Checked {
    if (!may_be_fetched(uri, networks_named(options.fetch_unsafe_allow_addresses))) return refused(why);
    into = uri;
    return {};
  });
}

Checked read_keys(const Json& document, const OauthOptions& options, ClientMetadata& metadata) {
  auto uri = read_fetched(document, "jwks_uri", "The jwks_uri must be an https URL of a public address.", options,
                          metadata.jwks_uri);
  if (!uri) return uri;
  const Json* jwks = document.find("jwks");
  if (jwks != nullptr && !jwks->is_null()) {
    if (jwks->object() == nullptr) return refused("The jwks must be a JWK Set, which is a JSON object.");
    metadata.jwks = wire::write_json(*jwks);
  }
  constexpr std::string_view why = "The token_endpoint_auth_signing_alg may be RS256, ES256 or EdDSA.";
  return with_text(document, "token_endpoint_auth_signing_alg", why, [&](const std::string& name) -> Checked {
    metadata.auth_signing_alg = crypto::algorithm_named(name);
    if (!metadata.auth_signing_alg) return refused(why);
    return {};
  });
}

Checked read_logout(const Json& document, const OauthOptions& options, ClientMetadata& metadata) {
  auto uri = read_fetched(document, "backchannel_logout_uri",
                          "The backchannel_logout_uri must be an https URL of a public address.", options,
                          metadata.backchannel_logout_uri);
  const Json* session = document.find("backchannel_logout_session_required");
  if (!uri || session == nullptr || session->is_null()) return uri;
  if (session->boolean() == nullptr) return refused("The backchannel_logout_session_required must be true or false.");
  metadata.logout_requires_session = *session->boolean();
  return {};
}

Checked read_scope(const Json& document, const OauthOptions& options, const ClientMetadata* present,
                   ClientMetadata& metadata) {
  const ScopeSet allowed =
      present != nullptr ? options.registration_scopes.united_with(present->scope) : options.registration_scopes;
  metadata.scope = allowed;
  static_assert(ScopeSet::tokens_max == 100);
  return with_text(document, "scope", "The scope must be text: words with a space between.",
                   [&](const std::string& text) -> Checked {
                     auto scope = ScopeSet::parse(text);
                     if (!scope) return refused("The scope must be up to 100 words with a space between.");
                     if (!scope->is_within(allowed)) return refused("The scope exceeds what may be registered.");
                     metadata.scope = *std::move(scope);
                     return {};
                   });
}

Checked read_signing(const Json& document, ClientMetadata& metadata) {
  constexpr std::string_view why = "The id_token_signed_response_alg may be RS256, ES256 or EdDSA.";
  auto signing = with_text(document, "id_token_signed_response_alg", why, [&](const std::string& name) -> Checked {
    const auto algorithm = crypto::algorithm_named(name);
    if (!algorithm) return refused(why);
    metadata.id_token_alg = *algorithm;
    return {};
  });
  if (!signing) return signing;
  return with_text(document, "subject_type", "The subject_type may be public.", [](const std::string& type) -> Checked {
    if (type != "public") return refused("The subject_type may be public.");
    return {};
  });
}

/// People see it on the consent page; without one they see the host that they come from.
Checked read_name(const Json& document, ClientMetadata& metadata) {
  auto read =
      with_text(document, "client_name", "The client_name must be text.", [&](const std::string& name) -> Checked {
        metadata.name = name;
        return {};
      });
  if (!read || !metadata.name.empty() || metadata.redirect_uris.empty()) return read;
  const auto url = wire::parse_url(metadata.redirect_uris.front());
  if (url) metadata.name = url->host.empty() ? url->scheme : url->host;
  return read;
}

}  // namespace

std::expected<ClientMetadata, OauthError> read_registration(const wire::Json& document, const OauthOptions& options,
                                                            const ClientMetadata* present) {
  if (document.object() == nullptr) return refused("The body must be a JSON object.");
  if (document.find("software_statement") != nullptr) return std::unexpected(errors::invalid_software_statement);
  ClientMetadata metadata;
  for (const Checked& checked :
       {read_addresses(document, metadata), read_grants(document, present, metadata),
        read_proof(document, present, metadata), read_scope(document, options, present, metadata),
        read_signing(document, metadata), read_keys(document, options, metadata),
        read_logout(document, options, metadata), read_name(document, metadata)}) {
    if (!checked) return std::unexpected(checked.error());
  }
  if (metadata.redirect_uris.empty()) {
    return std::unexpected(errors::invalid_redirect_uri.because("The authorization_code grant needs a redirect URI."));
  }
  if (const auto fault = fault_in(metadata)) return std::unexpected(*fault);
  static_assert(registered_bytes_max == 16 * 1024);
  if (bytes_of(metadata) > std::max(registered_bytes_max, present != nullptr ? bytes_of(*present) : 0)) {
    return refused("The URIs, scopes and keys of a client that registers itself take up to 16 KiB together.");
  }
  return metadata;
}

void write_metadata(wire::JsonWriter& writer, const ClientMetadata& metadata) {
  const auto write_texts = [&](std::string_view name, const auto& texts) {
    writer.key(name).begin_array();
    for (const auto& each : texts) writer.value(std::string_view{each});
    writer.end_array();
  };
  std::vector<std::string_view> grants;
  for (const GrantType grant : metadata.grant_types) grants.push_back(text(grant));
  writer.member("client_name", metadata.name);
  write_texts("redirect_uris", metadata.redirect_uris);
  write_texts("post_logout_redirect_uris", metadata.post_logout_redirect_uris);
  write_texts("grant_types", grants);
  if (metadata.may_use(GrantType::authorization_code)) write_texts("response_types", std::vector{"code"});
  writer.member("scope", metadata.scope.text())
      .member("token_endpoint_auth_method", text(metadata.auth_method))
      .member("require_pkce", metadata.pkce == PkcePolicy::required)
      .member("access_token_format", metadata.access_token_format == AccessTokenFormat::jwt ? "jwt" : "opaque")
      .member("access_token_signed_response_alg", crypto::name_of(metadata.access_token_alg))
      .member("id_token_signed_response_alg", crypto::name_of(metadata.id_token_alg));
  if (metadata.access_token_ttl) writer.member("access_token_lifetime", metadata.access_token_ttl->count());
  if (!metadata.jwks.empty()) writer.key("jwks").raw(metadata.jwks);
  if (!metadata.jwks_uri.empty()) writer.member("jwks_uri", metadata.jwks_uri);
  if (metadata.auth_signing_alg)
    writer.member("token_endpoint_auth_signing_alg", crypto::name_of(*metadata.auth_signing_alg));
  if (!metadata.backchannel_logout_uri.empty())
    writer.member("backchannel_logout_uri", metadata.backchannel_logout_uri);
  writer.member("backchannel_logout_session_required", metadata.logout_requires_session);
  if (!metadata.resources.empty()) write_texts("resources", metadata.resources);
}

}  // namespace troupe::oauth
