// A client as the administration reads and writes it: the members of RFC 7591, and a few of our own.
#pragma once

#include <expected>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/wire/json.h"

namespace troupe::oauth::admin {

/// The members that whoever administers decides.
inline constexpr std::initializer_list<std::string_view> client_members = {"client_name",
                                                                           "redirect_uris",
                                                                           "post_logout_redirect_uris",
                                                                           "grant_types",
                                                                           "scope",
                                                                           "enabled",
                                                                           "token_endpoint_auth_method",
                                                                           "token_endpoint_auth_signing_alg",
                                                                           "jwks",
                                                                           "jwks_uri",
                                                                           "backchannel_logout_uri",
                                                                           "backchannel_logout_session_required",
                                                                           "require_pkce",
                                                                           "access_token_format",
                                                                           "access_token_signed_response_alg",
                                                                           "id_token_signed_response_alg",
                                                                           "access_token_lifetime",
                                                                           "resources"};

/// Changes what `document`, an object of these members alone, says; null gives a member its default again, what is not
/// named stays (RFC 7396). Errors: invalid_client_metadata. Whether the client is safe as it stands then is the model's
/// to say (`fault_in`).
std::expected<void, OauthError> apply(const wire::Json& document, Client& client);

/// Writes all that is known of a client; the secret where it is new.
void write_client(wire::JsonWriter& writer, const Client& client, const std::optional<ClientSecret>& secret = {});

}  // namespace troupe::oauth::admin
