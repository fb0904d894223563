// Whether somebody's signing in still counts for an authorization request (OpenID Connect
// Core, section 3.1.2.3): the session must be there, young enough, and in a flow its user's.
#pragma once

#include <optional>

#include "troupe/oauth/model/auth_request.h"
#include "troupe/oauth/model/session.h"

namespace troupe::oauth {

/// The authentication that a code may be given for, or nothing: the user must sign in first. `session` has just
/// been seen; `signed_in` is who gave the password in this flow, if anybody did.
std::optional<Authentication> standing_authentication(const AuthRequest& request,
                                                      const std::optional<Authentication>& signed_in,
                                                      const std::optional<Session>& session);

inline bool forces_login(const AuthRequest& request) {
  return request.prompt == Prompt::login || request.prompt == Prompt::login_and_consent;
}

inline bool forces_consent(const AuthRequest& request) {
  return request.prompt == Prompt::consent || request.prompt == Prompt::login_and_consent;
}

}  // namespace troupe::oauth
