// Client authentication: what a request presents about its client, and asking the Client
// Actor whether it holds (RFC 6749, section 2.3; OpenID Connect Core, section 9).
//
// Exactly one way may be used in a request: two of them could name two clients.
#pragma once

#include <expected>
#include <variant>

#include "troupe/oauth/actor/client_actor.h"
#include "troupe/oauth/endpoint/service.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/web/message.h"
#include "troupe/wire/form.h"

namespace troupe::oauth {

/// What the Client Actor is asked about it.
using PresentedClient = std::variant<ValidateClient, ValidateAssertion>;
using Presented = std::expected<PresentedClient, OauthError>;

/// Reads what is presented: Basic with form-encoded id and secret, id and secret in the body, an assertion that the
/// client has signed (RFC 7523), or the id alone. Errors: invalid_request for two ways at once, a malformed header, or
/// two different ids; invalid_client for none of them, or a way that is not spoken here.
Presented presented_client(const web::Request& request, const wire::Form& form);

/// The client that a request comes from which presents this, proven as it is registered to prove itself. Errors: those
/// of `presented_client`, and of ValidateClient and ValidateAssertion; temporarily_unavailable when nobody can tell
/// now; too_many_requests when it asks more often than a client may.
Task<std::expected<ClientPtr, OauthError>> authenticate(ServicePtr service, Presented presented, Cause cause);

}  // namespace troupe::oauth
