// Client: what the server knows about an application that asks for tokens (RFC 7591).
//
// A value, shared and never changed; the Client Actor owns the record behind it and makes
// a new value when it changes. Hashes of secrets are not in it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/base/clock.h"
#include "troupe/crypto/key.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/scope.h"

namespace troupe::oauth {

enum class GrantType : std::uint8_t { authorization_code, refresh_token, client_credentials };

/// The name as `grant_type` and client metadata have it.
std::string_view text(GrantType type) noexcept;
std::optional<GrantType> grant_type_named(std::string_view name) noexcept;

/// How a client proves who it is. `client_secret` takes the secret either way; the two after it only one way; with
/// `private_key_jwt` it signs a statement with a key of its own; `none` is a public client, which has nothing to prove
/// anything with.
enum class ClientAuthMethod : std::uint8_t {
  none,
  client_secret,
  client_secret_basic,
  client_secret_post,
  private_key_jwt,
};

/// The name as `token_endpoint_auth_method` has it; `client_secret` is a name of our own.
std::string_view text(ClientAuthMethod method) noexcept;
std::optional<ClientAuthMethod> client_auth_method_named(std::string_view name) noexcept;

enum class PkcePolicy : std::uint8_t { required, optional };  // optional only for confidential clients
enum class AccessTokenFormat : std::uint8_t { jwt, opaque };  // JWT as RFC 9068 has it
enum class ClientState : std::uint8_t { enabled, disabled };

/// A stolen access token is good for at most this long, and its row need not be kept much longer.
inline constexpr std::chrono::seconds access_token_ttl_max{60 * 60};

/// Of so many resources a client may be the server.
inline constexpr std::size_t client_resources_max = 20;

/// So many redirect URIs a client may have, and as many to go to after a sign-out, whoever registers it.
inline constexpr std::size_t client_uris_max = 100;

/// What whoever registers a client decides.
struct ClientMetadata {
  std::string name;  // shown to people on the consent page
  ClientAuthMethod auth_method = ClientAuthMethod::client_secret;
  std::vector<std::string> redirect_uris;
  std::vector<std::string> post_logout_redirect_uris;
  std::vector<GrantType> grant_types = {GrantType::authorization_code};
  ScopeSet scope;  // the most it can ever be given
  PkcePolicy pkce = PkcePolicy::required;
  AccessTokenFormat access_token_format = AccessTokenFormat::jwt;
  crypto::Algorithm access_token_alg = crypto::Algorithm::es256;  // 30 times cheaper to sign than RS256
  crypto::Algorithm id_token_alg = crypto::Algorithm::rs256;      // what every OpenID client can check (Core, 15.1)
  std::optional<std::chrono::seconds> access_token_ttl;           // nothing: the server's own

  // Its public keys: the JWK Set itself, as JSON, or where to fetch it; not both (RFC 7591, section 2).
  std::string jwks;
  std::string jwks_uri;
  std::optional<crypto::Algorithm> auth_signing_alg;  // of what it proves itself with; nothing: any that its keys have

  std::string backchannel_logout_uri;    // is told when a session ends in which it has a part; "": it is not
  bool logout_requires_session = false;  // it asks for the `sid` in what it is told, which is always there

  // The resources (RFC 8707) that it is the server of: it may know the tokens that are for one of them (RFC 7662,
  // section 4). The operator alone says so, since it gives sight of other clients' tokens.
  std::vector<std::string> resources;

  bool is_public() const noexcept { return auth_method == ClientAuthMethod::none; }
  /// Whether it proves itself by a secret that we have given it.
  bool has_secret() const noexcept { return !is_public() && auth_method != ClientAuthMethod::private_key_jwt; }
  bool may_use(GrantType type) const noexcept;
  /// Whether a token of this audience is for a resource that it is the server of.
  bool serves(const std::vector<std::string>& audience) const noexcept;
};

struct Client {
  ClientId id;
  ClientMetadata metadata;
  ClientState state = ClientState::enabled;
  base::UnixTime created_at;
  base::UnixTime valid_from{};  // what was granted up to this moment is over: it was disabled then
  std::int64_t version = 1;     // rises with each change

  bool is_public() const noexcept { return metadata.is_public(); }
  bool may_use(GrantType type) const noexcept { return metadata.may_use(type); }
};

using ClientPtr = std::shared_ptr<const Client>;

/// About how many bytes its record takes: those of its texts, lists and keys.
std::size_t bytes_of(const ClientMetadata& metadata) noexcept;

/// Why a client with this metadata is not registered, or nothing: a redirect URI that may not be (`errors::
/// invalid_redirect_uri`), or a combination that cannot work or is not safe (`errors::invalid_client_metadata`).
std::optional<struct OauthError> fault_in(const ClientMetadata& metadata);

/// The first word of the scope that is a slip of one (`is_well_meant`), or nothing. What a client had before, `known`,
/// stays as it is, so that a slip of long ago is in nobody's way.
std::optional<std::string> slip_in(const ScopeSet& scope, const ScopeSet& known = {});
/// Why a client is not given this scope, or nothing: there is a slip in it.
std::optional<struct OauthError> fault_in_words(const ScopeSet& scope, const ScopeSet& known = {});

/// Why a client is not given these redirect URIs, or nothing: one that it has not had before, `known`, says in its
/// query what the answer says (`says_an_answer`).
std::optional<struct OauthError> fault_in_uris(const std::vector<std::string>& uris,
                                               const std::vector<std::string>& known = {});

/// Why a client of this metadata cannot be given that one, or nothing: it stays public or confidential, and nobody
/// would tell it a secret that it did not have.
std::optional<struct OauthError> fault_in_change(const ClientMetadata& from, const ClientMetadata& to);

}  // namespace troupe::oauth
