// The names of the authorization server's things. Each is a type of its own, so a client
// cannot pass for a user; what is a secret cannot be printed or compared by accident.
//
// The ids of users begin with "u_" and those of clients with "c_", so a client that acts
// for itself can never bear a user's subject (RFC 9700, 4.15).
#pragma once

#include <string>

#include "troupe/base/strong.h"

namespace troupe::oauth {

using ClientId = base::Strong<struct ClientIdTag, std::string>;
using UserId = base::Strong<struct UserIdTag, std::string>;      // the `sub` of tokens; never changes
using UserName = base::Strong<struct UserNameTag, std::string>;  // what a person types to sign in

/// A public name of a sign-in, the `sid` of ID tokens. Knowing it opens nothing.
using SessionId = base::Strong<struct SessionIdTag, std::string>;
/// One sign-in in progress. It stands in URLs, and is good only in the browser that began it.
using FlowId = base::Strong<struct FlowIdTag, std::string>;
/// All tokens that came of one code, or of one request for client credentials: revoked together.
using FamilyId = base::Strong<struct FamilyIdTag, std::string>;

using ClientSecret = base::Secret<std::string>;
using RegistrationToken = base::Secret<std::string>;  // by which a client manages its own registration
using SessionToken = base::Secret<std::string>;       // the cookie of a session; only its SHA-256 is kept
using BrowserToken = base::Secret<std::string>;       // the cookie of a browser; binds flows to it
using DeviceToken = base::Secret<std::string>;        // the cookie of a browser that is known to an account
using CsrfToken = base::Secret<std::string>;          // in the form of one page of one flow; good once
using TokenText = base::Secret<std::string>;          // a token or code as it travels

}  // namespace troupe::oauth
