// The pages that people see: sign-in, consent, sign-out, and errors. Plain HTML and one
// stylesheet; no script, nothing from elsewhere (html.h).
#pragma once

#include <string>
#include <string_view>

#include "troupe/oauth/model/auth_request.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/logout_request.h"
#include "troupe/oauth/model/session.h"
#include "troupe/web/message.h"

namespace troupe::oauth {

/// Where a form belongs: the flow, and the token of its page.
struct FormPlace {
  FlowId flow;
  CsrfToken csrf;
};

/// Name and password. `goal` is what the person goes on to; `problem` says why the last try failed, "" at the first.
web::Response login_page(int status, const FormPlace& place, std::string_view goal, std::string_view name,
                         std::string_view problem);

/// What the client asks for, to allow or to deny.
web::Response consent_page(const FormPlace& place, const AuthRequest& request, std::string_view user_name);

/// Asks whether the user wants to sign out. The form remembers the request's way back, which `proof` signs.
web::Response logout_page(const LogoutRequest& remembered, const CsrfToken& proof);

/// Says that the user is signed out, with a link to an address that a client has registered.
web::Response signed_out_page(const std::string& address);

/// Says that something has been done; there is nothing to do on it.
web::Response notice_page(std::string_view title, std::string_view text);

/// Tells the user what went wrong, where nobody else may be told.
web::Response error_page(const OauthError& error);

/// The page of a flow that is not there any more: too old, finished, or another browser's.
web::Response lost_flow_page(int status);

}  // namespace troupe::oauth
