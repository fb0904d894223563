// The steps that the pages of a sign-in share: who is there, what they agreed to, and the
// end of it, the code.
#pragma once

#include <expected>
#include <optional>

#include "troupe/oauth/endpoint/service.h"
#include "troupe/oauth/model/cause.h"
#include "troupe/oauth/model/session.h"
#include "troupe/web/message.h"

namespace troupe::oauth {

template <class T>
using Step = Task<std::expected<T, OauthError>>;

/// The session of the request's cookie, touched; nothing when there is none. Errors: temporarily_unavailable.
Step<std::optional<Session>> present_session(ServicePtr service, web::Request http);

/// The browser that asks, as its user may know it again.
SignInPlace place_of(const web::Request& http);

/// Whether the user need not be asked: they have agreed to all of it before, nobody else can be the client, and it does
/// not insist.
Step<bool> has_consent(ServicePtr service, AuthRequest request, UserId user);

/// Makes the code and sends the user back with it; or with the error, if there is one.
Task<web::Response> send_code(ServicePtr service, AuthRequest request, Authentication authentication, Cause cause);

/// Sends the user back to the client with an error.
web::Response send_error(const Service& service, const AuthRequest& request, const OauthError& error);

/// 303 to a page of this flow: "/login" or "/consent".
web::Response continue_at(std::string_view page, const FlowId& flow);

}  // namespace troupe::oauth
