// The flags of `troupe client add` and `client update`, and the metadata they stand for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "troupe/oauth/model/client.h"

namespace CLI {
class App;
}

namespace troupe::app {

struct ClientFlags {
  std::optional<std::string> name, scope, auth_method, access_token_format, access_token_alg, id_token_alg,
      access_token_lifetime, jwks_file, jwks_uri, auth_signing_alg, backchannel_logout_uri;
  std::optional<std::vector<std::string>> redirect_uris, logout_uris, grants, resources;
  std::optional<bool> no_pkce;
  bool is_public = false;
  bool logout_session = false;
  bool no_resources = false;
};

/// Adds the flags to a command; `flags` must live as long as it.
void add_client_flags(CLI::App& command, ClientFlags& flags);

/// Writes what was given over `metadata`. Throws CommandFailed, with the flag and what it wants.
void apply(const ClientFlags& flags, oauth::ClientMetadata& metadata);

}  // namespace troupe::app
