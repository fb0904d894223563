// What of a person's earlier acts still counts for an authorization request: their signing in
// (OpenID Connect Core, section 3.1.2.3), for which the session must be there, young enough, and
// in a flow its user's; and their consent.
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

/// Whether the code can reach nobody but the client: it proves itself where it redeems it, or an https site of its own
/// receives it. Any program on a device may listen at a loopback address or claim a private scheme, and name itself as
/// it likes: what a person has agreed to once lets none of them pass unseen (RFC 8252, section 8.6).
inline bool is_client_assured(const AuthRequest& request) {
  return !request.client->is_public() || request.redirect_uri.starts_with("https:");
}

}  // namespace troupe::oauth
