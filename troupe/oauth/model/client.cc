// See client.h.
#include "troupe/oauth/model/client.h"

#include <algorithm>
#include <array>
#include <utility>

#include "troupe/base/topic_name.h"
#include "troupe/oauth/model/client_keys.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/fetched_uri.h"
#include "troupe/oauth/model/redirect_uri.h"
#include "troupe/wire/url.h"
#include "troupe/wire/utf8.h"

namespace troupe::oauth {
namespace {

using namespace std::string_view_literals;

constexpr std::array grant_types = {
    std::pair{GrantType::authorization_code, "authorization_code"sv},
    std::pair{GrantType::refresh_token, "refresh_token"sv},
    std::pair{GrantType::client_credentials, "client_credentials"sv},
};

constexpr std::array auth_methods = {
    std::pair{ClientAuthMethod::none, "none"sv},
    std::pair{ClientAuthMethod::client_secret, "client_secret"sv},
    std::pair{ClientAuthMethod::client_secret_basic, "client_secret_basic"sv},
    std::pair{ClientAuthMethod::client_secret_post, "client_secret_post"sv},
    std::pair{ClientAuthMethod::private_key_jwt, "private_key_jwt"sv},
};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) noexcept {
  return std::ranges::find(table, value, &Table::value_type::first)->second;
}

template <class Table>
auto value_in(const Table& table, std::string_view name) noexcept
    -> std::optional<typename Table::value_type::first_type> {
  auto row = std::ranges::find(table, name, &Table::value_type::second);
  if (row == table.end()) return std::nullopt;
  return row->first;
}

/// What is wrong with the resources that it is the server of. They are written as `oauth.resources` are.
std::optional<OauthError> fault_in_resources(const ClientMetadata& metadata) {
  const OauthError& fault = errors::invalid_client_metadata;
  if (metadata.resources.empty()) return std::nullopt;
  if (metadata.is_public())
    return fault.because("A public client cannot prove that it is the server of its resources.");
  if (metadata.resources.size() > client_resources_max) return fault.because("There may be up to 20 resources.");
  const auto is_resource = [](const std::string& uri) {
    if (uri.size() > redirect_uri_bytes_max) return false;
    const auto url = wire::parse_url(uri);
    return url && !url->fragment;
  };
  if (!std::ranges::all_of(metadata.resources, is_resource)) {
    return fault.because("The resources must be absolute URIs without fragment.");
  }
  return std::nullopt;
}

/// Whether two keys cannot be told apart by what a signature says of them: its algorithm and, if anything, a `kid`.
/// Keys of different kinds may bear one `kid` (RFC 7517, section 4.5).
bool has_twins(const ClientKeys& keys) {
  std::vector<std::pair<crypto::Algorithm, std::string_view>> names;
  names.reserve(keys.size());
  for (const ClientKey& each : keys) names.emplace_back(each.key.algorithm(), each.kid);
  std::ranges::sort(names);
  return std::ranges::adjacent_find(names) != names.end();
}

/// What is wrong with its keys, or with how it proves itself by them.
std::optional<OauthError> fault_in_keys(const ClientMetadata& metadata) {
  const OauthError& fault = errors::invalid_client_metadata;
  const bool proves_by_key = metadata.auth_method == ClientAuthMethod::private_key_jwt;
  if (!metadata.jwks.empty() && !metadata.jwks_uri.empty()) return fault.because("Either jwks or jwks_uri, not both.");
  if (proves_by_key && metadata.jwks.empty() && metadata.jwks_uri.empty()) {
    return fault.because("The method private_key_jwt needs jwks or jwks_uri.");
  }
  if (!metadata.jwks_uri.empty() && !looks_fetchable(metadata.jwks_uri)) {
    return fault.because("The jwks_uri must be an https URL.");
  }
  if (metadata.jwks.empty()) return std::nullopt;
  const auto keys = read_client_keys(metadata.jwks);
  static_assert(client_keys_max == 20 && jwks_bytes_max == 64 * 1024);
  if (!keys && keys.error() == JwksFault::secret) {
    return fault.because("A key of the jwks is private or symmetric: others know it now, so it proves nothing.");
  }
  if (!keys) return fault.because("The jwks must have the member keys: a list of up to 20 keys, 64 KiB in all.");
  if (keys->empty()) return fault.because("The jwks has no key for signatures by RS256, ES256 or EdDSA.");
  if (has_twins(*keys)) return fault.because("Two keys of the jwks have the same algorithm and the same kid, or none.");
  const auto is_of_algorithm = [&](const ClientKey& each) { return each.key.algorithm() == metadata.auth_signing_alg; };
  if (metadata.auth_signing_alg && std::ranges::none_of(*keys, is_of_algorithm)) {
    return fault.because("No key of the jwks is for the algorithm in token_endpoint_auth_signing_alg.");
  }
  return std::nullopt;
}

/// What is wrong with what people see as its name.
std::optional<OauthError> fault_in_name(const std::string& name) {
  const OauthError& fault = errors::invalid_client_metadata;
  if (name.empty() || name.size() > 200) return fault.because("The name has 1 to 200 bytes.");
  if (!wire::is_plain_utf8(name)) return fault.because("The name is UTF-8 without control characters.");
  if (!wire::has_visible_character(name)) return fault.because("The name has no character that people see.");
  return std::nullopt;
}

std::optional<OauthError> fault_in_addresses(const ClientMetadata& metadata) {
  const OauthError& fault = errors::invalid_client_metadata;
  static_assert(client_uris_max == 100);
  for (const auto& [uris, too_many] :
       {std::pair{&metadata.redirect_uris, "There may be up to 100 redirect_uris."},
        std::pair{&metadata.post_logout_redirect_uris, "There may be up to 100 post_logout_redirect_uris."}}) {
    if (uris->size() > client_uris_max) return fault.because(too_many);
    if (!std::ranges::all_of(*uris, may_be_registered)) return errors::invalid_redirect_uri;
  }
  if (!metadata.backchannel_logout_uri.empty() && !looks_fetchable(metadata.backchannel_logout_uri)) {
    return fault.because("The backchannel_logout_uri must be an https URL.");
  }
  return std::nullopt;
}

}  // namespace

std::string_view text(GrantType type) noexcept { return name_in(grant_types, type); }
std::optional<GrantType> grant_type_named(std::string_view name) noexcept { return value_in(grant_types, name); }
std::string_view text(ClientAuthMethod method) noexcept { return name_in(auth_methods, method); }
std::optional<ClientAuthMethod> client_auth_method_named(std::string_view name) noexcept {
  return value_in(auth_methods, name);
}

bool ClientMetadata::may_use(GrantType type) const noexcept {
  return std::ranges::find(grant_types, type) != grant_types.end();
}

bool ClientMetadata::serves(const std::vector<std::string>& audience) const noexcept {
  return std::ranges::find_first_of(audience, resources) != audience.end();
}

std::size_t bytes_of(const ClientMetadata& metadata) noexcept {
  std::size_t bytes =
      metadata.name.size() + metadata.jwks.size() + metadata.jwks_uri.size() + metadata.backchannel_logout_uri.size();
  for (const std::string& word : metadata.scope) bytes += word.size() + 1;
  for (const auto* uris : {&metadata.redirect_uris, &metadata.post_logout_redirect_uris, &metadata.resources})
    for (const std::string& uri : *uris) bytes += uri.size() + 1;
  return bytes;
}

std::optional<OauthError> fault_in(const ClientMetadata& metadata) {
  const OauthError& fault = errors::invalid_client_metadata;
  if (const auto in_addresses = fault_in_addresses(metadata)) return in_addresses;
  if (const auto in_name = fault_in_name(metadata.name)) return in_name;
  if (metadata.grant_types.empty()) return fault.because("At least one grant type is needed.");
  bool uses_code = metadata.may_use(GrantType::authorization_code);
  if (uses_code && metadata.redirect_uris.empty()) {
    return errors::invalid_redirect_uri.because("The authorization_code grant needs a redirect URI.");
  }
  if (metadata.may_use(GrantType::refresh_token) && !uses_code) {
    return fault.because("The refresh_token grant needs the authorization_code grant.");
  }
  if (metadata.is_public() && metadata.may_use(GrantType::client_credentials)) {
    return fault.because("A public client has no credentials of its own.");
  }
  if (metadata.is_public() && metadata.pkce != PkcePolicy::required) {
    return fault.because("A public client cannot do without PKCE.");
  }
  if (const auto in_keys = fault_in_keys(metadata)) return in_keys;
  if (const auto in_resources = fault_in_resources(metadata)) return in_resources;
  const auto ttl = metadata.access_token_ttl;
  if (ttl && (*ttl < std::chrono::seconds{1} || *ttl > access_token_ttl_max)) {
    return fault.because("Access tokens live between one second and one hour.");
  }
  return std::nullopt;
}

std::optional<std::string> slip_in(const ScopeSet& scope, const ScopeSet& known) {
  const auto is_slip = [&](const std::string& word) { return !known.contains(word) && !is_well_meant(word); };
  const auto found = std::ranges::find_if(scope, is_slip);
  return found == scope.end() ? std::nullopt : std::optional{*found};
}

std::optional<OauthError> fault_in_words(const ScopeSet& scope, const ScopeSet& known) {
  static_assert(base::topic_wildcards_max == 4);
  if (!slip_in(scope, known)) return std::nullopt;
  return errors::invalid_client_metadata.because(
      "A scope that begins with topic: is one such as topic:news.*:subscribe, with at most four *.");
}

std::optional<OauthError> fault_in_uris(const std::vector<std::string>& uris, const std::vector<std::string>& known) {
  const auto is_fault = [&](const std::string& uri) {
    return says_an_answer(uri) && std::ranges::find(known, uri) == known.end();
  };
  if (std::ranges::none_of(uris, is_fault)) return std::nullopt;
  return errors::invalid_redirect_uri.because("The query of a redirect URI has no code, state, iss or error.");
}

std::optional<OauthError> fault_in_change(const ClientMetadata& from, const ClientMetadata& to) {
  const OauthError& fault = errors::invalid_client_metadata;
  if (from.is_public() != to.is_public()) {
    return fault.because("A client stays public or confidential: register another one.");
  }
  if (const auto found = fault_in_uris(to.redirect_uris, from.redirect_uris)) return found;
  if (to.has_secret() && !from.has_secret()) {
    return fault.because("A client that has no secret gets none later: register another one.");
  }
  return std::nullopt;
}

}  // namespace troupe::oauth
