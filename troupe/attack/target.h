// Target: the server under attack, as its discovery document describes it, and what we were given to attack it with.
//
// Nothing is assumed of it: an endpoint that the document does not name is not there, and a client that nobody gave is
// a reason for a row not to apply.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/attack/http/transport.h"
#include "troupe/base/strong.h"
#include "troupe/wire/json.h"

namespace troupe::attack {

using Password = base::Secret<std::string>;

/// A client that the target knows. One without a secret is public.
struct KnownClient {
  std::string id;
  base::Secret<std::string> secret;
  std::string redirect_uri;          // nobody needs to listen there
  std::string another_redirect_uri;  // registered beside it; "" where there is only one
  std::string scope;                 // what it may ask for
  enum class Sends : std::uint8_t { basic, post } sends = Sends::basic;

  bool is_given() const noexcept { return !id.empty(); }
  bool is_public() const noexcept { return secret.expose().empty(); }
};

struct KnownUser {
  std::string name;
  Password password;

  bool is_given() const noexcept { return !name.empty(); }
};

struct TargetOptions {
  std::string url;              // the issuer
  KnownClient client;           // confidential, with codes and refresh tokens
  KnownClient other_client;     // another one of that kind
  KnownClient public_client;    // without a secret, with codes and refresh tokens
  KnownClient machine;          // client_credentials
  KnownClient resource_server;  // may introspect; without one, the client itself asks
  std::string disabled_client;  // the id of a client that was disabled or removed
  KnownUser user;               // signs in by the target's own form
  KnownUser victim;             // an account whose password is guessed at, so that it may be slowed down
  base::Secret<std::string> registration_token;       // an initial access token, where registration wants one
  std::optional<std::chrono::seconds> code_lifetime;  // how long a code lives, where that is short enough to wait
  std::optional<std::chrono::seconds> refresh_grace;  // how long a used refresh token is still answered
  std::string admin_url;                              // a resource that wants a scope for administrators
};

struct Target {
  TargetOptions options;
  std::string issuer;    // as the document says it
  wire::Json discovery;  // an object

  /// The endpoint of that name ("token_endpoint"); "" where the document has none.
  std::string endpoint(std::string_view name) const;
  /// Whether the list of that name has the value.
  bool lists(std::string_view name, std::string_view value) const;
  /// The client that asks for introspection.
  const KnownClient& introspector() const noexcept {
    return options.resource_server.is_given() ? options.resource_server : options.client;
  }
};

/// Reads the discovery document, of OpenID Connect or of RFC 8414. The error is a sentence.
std::expected<Target, std::string> find_target(Transport& transport, TargetOptions options);

}  // namespace troupe::attack
