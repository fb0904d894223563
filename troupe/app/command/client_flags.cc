// See client_flags.h. What combinations are safe is the model's to say (oauth::fault_in).
#include "troupe/app/command/client_flags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>

#include "troupe/app/command/command.h"
#include "troupe/app/config/value.h"
#include "troupe/oauth/model/client_keys.h"
#include "troupe/wire/json.h"

namespace troupe::app {
namespace {

/// What `parse` makes of a flag's text; a sentence when it makes nothing.
template <class Parse>
auto read(const char* flag, const std::string& text, Parse parse, const char* wanted) {
  auto value = parse(text);
  if (!value) throw WrongUsage{fmt::format("{} \"{}\": wants {}", flag, text, wanted)};
  return *std::move(value);
}

std::string content_of(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  std::string content(oauth::jwks_bytes_max + 1, '\0');
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (in.bad() || in.gcount() == 0) throw CommandFailed{fmt::format("--jwks \"{}\": cannot be read", file)};
  content.resize(static_cast<std::size_t>(in.gcount()));
  return content;
}

/// Keys in one way take the place of those in the other.
void apply_keys(const ClientFlags& flags, oauth::ClientMetadata& metadata) {
  if (flags.jwks_file) {
    const auto document = wire::parse_json(content_of(*flags.jwks_file), {.bytes_max = oauth::jwks_bytes_max});
    if (!document)
      throw CommandFailed{fmt::format("--jwks \"{}\": {}", *flags.jwks_file, wire::sentence(document.error()))};
    metadata.jwks = wire::write_json(*document);
    metadata.jwks_uri.clear();
  }
  if (flags.jwks_uri) {
    metadata.jwks_uri = *flags.jwks_uri;
    if (!flags.jwks_file) metadata.jwks.clear();
  }
  if (flags.auth_signing_alg) {
    metadata.auth_signing_alg =
        read("--auth-signing-alg", *flags.auth_signing_alg, crypto::algorithm_named, "RS256, ES256 or EdDSA");
  }
}

}  // namespace

void add_client_flags(CLI::App& command, ClientFlags& flags) {
  command.add_option("--redirect-uri", flags.redirect_uris, "Where codes may be sent; several are allowed");
  command.add_option("--logout-uri", flags.logout_uris, "Where a browser may go after signing out");
  command.add_option("--grant", flags.grants, "authorization_code, refresh_token, client_credentials");
  command.add_option("--scope", flags.scope, "The most it may ever be given, separated by spaces");
  auto* no_pkce = command.add_flag_callback(
      "--no-pkce", [&flags] { flags.no_pkce = true; }, "A confidential client may leave PKCE out");
  command.add_flag_callback(
             "--pkce", [&flags] { flags.no_pkce = false; }, "It may not, which is the default")
      ->excludes(no_pkce);
  command.add_option("--auth-method", flags.auth_method,
                     "client_secret (either way), client_secret_basic, client_secret_post, private_key_jwt, none");
  command.add_option("--jwks", flags.jwks_file, "A file with its public keys as a JWK Set, for private_key_jwt");
  command.add_option("--jwks-uri", flags.jwks_uri, "Or the https URL where they are");
  command.add_option("--auth-signing-alg", flags.auth_signing_alg,
                     "The one algorithm of private_key_jwt: RS256, ES256 or EdDSA; otherwise any of its keys");
  command.add_option("--backchannel-logout-uri", flags.backchannel_logout_uri,
                     "The https URL that is told when a session ends");
  command.add_flag("--backchannel-logout-session", flags.logout_session, "It needs the sid there (it is always sent)");
  command.add_option("--access-token-format", flags.access_token_format, "jwt or opaque");
  command.add_option("--access-token-alg", flags.access_token_alg, "ES256, RS256 or EdDSA");
  command.add_option("--id-token-alg", flags.id_token_alg, "RS256, ES256 or EdDSA");
  command.add_option("--access-token-lifetime", flags.access_token_lifetime,
                     "Such as 5m; otherwise, and again by `default`, the server's own");
  auto* resource = command.add_option(
      "--resource", flags.resources,
      "A resource that it is the server of: it may introspect the access tokens for it; several are allowed");
  command.add_flag("--no-resources", flags.no_resources, "It is the server of none")->excludes(resource);
}

void apply(const ClientFlags& flags, oauth::ClientMetadata& metadata) {
  if (flags.name) metadata.name = *flags.name;
  if (flags.redirect_uris) metadata.redirect_uris = *flags.redirect_uris;
  if (flags.logout_uris) metadata.post_logout_redirect_uris = *flags.logout_uris;
  if (flags.grants) {
    metadata.grant_types.clear();
    for (const auto& name : *flags.grants) {
      metadata.grant_types.push_back(
          read("--grant", name, oauth::grant_type_named, "authorization_code, refresh_token or client_credentials"));
    }
  }
  if (flags.scope) {
    metadata.scope = read("--scope", *flags.scope, oauth::ScopeSet::parse,
                          "scopes separated by single spaces, without quotes and backslashes");
  }
  if (flags.auth_method) {
    metadata.auth_method = read("--auth-method", *flags.auth_method, oauth::client_auth_method_named,
                                "client_secret, client_secret_basic, client_secret_post, private_key_jwt or none");
  }
  if (flags.is_public) metadata.auth_method = oauth::ClientAuthMethod::none;
  if (flags.no_pkce) metadata.pkce = *flags.no_pkce ? oauth::PkcePolicy::optional : oauth::PkcePolicy::required;
  if (flags.access_token_format) {
    const auto format_named = [](const std::string& name) -> std::optional<oauth::AccessTokenFormat> {
      if (name == "jwt") return oauth::AccessTokenFormat::jwt;
      if (name == "opaque") return oauth::AccessTokenFormat::opaque;
      return std::nullopt;
    };
    metadata.access_token_format =
        read("--access-token-format", *flags.access_token_format, format_named, "jwt or opaque");
  }
  if (flags.access_token_alg) {
    metadata.access_token_alg =
        read("--access-token-alg", *flags.access_token_alg, crypto::algorithm_named, "ES256, RS256 or EdDSA");
  }
  if (flags.id_token_alg) {
    metadata.id_token_alg =
        read("--id-token-alg", *flags.id_token_alg, crypto::algorithm_named, "RS256, ES256 or EdDSA");
  }
  apply_keys(flags, metadata);
  if (flags.backchannel_logout_uri) metadata.backchannel_logout_uri = *flags.backchannel_logout_uri;
  if (flags.logout_session) metadata.logout_requires_session = true;
  if (flags.resources) metadata.resources = *flags.resources;
  if (flags.no_resources) metadata.resources.clear();
  if (flags.access_token_lifetime == "default") {
    metadata.access_token_ttl.reset();
  } else if (flags.access_token_lifetime) {
    const auto lifetime = read("--access-token-lifetime", *flags.access_token_lifetime, parse_duration,
                               "a duration such as 5m, or `default`");
    metadata.access_token_ttl = std::chrono::duration_cast<std::chrono::seconds>(lifetime);
  }
}

}  // namespace troupe::app
