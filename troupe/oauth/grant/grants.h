// The grants: how each kind of proof becomes tokens. One file a grant type, and one table
// that the token endpoint, the discovery document and the tests read.
#pragma once

#include <expected>
#include <span>
#include <string_view>

#include "troupe/oauth/endpoint/service.h"
#include "troupe/oauth/model/cause.h"
#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/token.h"
#include "troupe/wire/form.h"

namespace troupe::oauth {

using Redeemed = Task<std::expected<IssuedTokens, OauthError>>;

/// A grant redeems the form of a client that is authenticated and may use it.
struct GrantHandler {
  GrantType type;
  Redeemed (*redeem)(ServicePtr service, wire::Form form, ClientPtr client, Cause cause);
};

std::span<const GrantHandler> all_grants() noexcept;

/// The grant of that name, null when it is not spoken here.
const GrantHandler* find_grant(std::string_view name) noexcept;

/// Gives the error, having told the audit trail for which reason, a literal, this client got no token. For what no
/// actor refuses, which would tell it itself.
std::unexpected<OauthError> note_refused(const Service& service, const Client& client, std::string_view reason,
                                         const OauthError& error, Cause cause);

/// A code becomes tokens, once (RFC 6749, section 4.1.3; RFC 7636, section 4.5).
Redeemed redeem_authorization_code(ServicePtr service, wire::Form form, ClientPtr client, Cause cause);

/// A refresh token becomes its successor and a new access token (RFC 6749, section 6; RFC 9700, section 4.14).
Redeemed redeem_refresh_token(ServicePtr service, wire::Form form, ClientPtr client, Cause cause);

/// A client acts for itself (RFC 6749, section 4.4).
Redeemed redeem_client_credentials(ServicePtr service, wire::Form form, ClientPtr client, Cause cause);

}  // namespace troupe::oauth
