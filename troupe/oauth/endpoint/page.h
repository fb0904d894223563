// The pages that people see: sign-in, consent, sign-out, and errors. Plain HTML and one
// stylesheet; no script, nothing from elsewhere (html.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "troupe/oauth/model/auth_request.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/language.h"
#include "troupe/oauth/model/logout_request.h"
#include "troupe/oauth/model/session.h"
#include "troupe/oauth/model/user.h"
#include "troupe/web/message.h"

namespace troupe::oauth {

/// Where a form belongs: the flow, and the token of its page.
struct FormPlace {
  FlowId flow;
  CsrfToken csrf;
};

/// What the sign-in page shows.
struct LoginView {
  Language language = Language::english;
  std::string client;        // that the person goes on to; "": their account
  std::string name;          // as it was typed or hinted
  std::string_view problem;  // why the last try failed, "" at the first
};

/// Name and password.
web::Response login_page(int status, const FormPlace& place, const LoginView& view);

/// What the client asks of this user, to allow or to deny. The form says whom it asked.
web::Response consent_page(Language language, const FormPlace& place, const AuthRequest& request, const User& user);

/// Asks whether the user wants to sign out. The form remembers the request's way back, which `proof` signs.
web::Response logout_page(Language language, const LogoutRequest& remembered, const CsrfToken& proof);

/// Says that the user is signed out, with a link to `address`, if there is one, which a client has registered.
web::Response signed_out_page(Language language, const std::optional<std::string>& address);

/// Tells the user what went wrong, where nobody else may be told. What the error says of itself is English.
web::Response error_page(const OauthError& error, Language language = Language::english);

/// The page of a flow that is not there any more: too old, finished, or another browser's.
web::Response lost_flow_page(int status, Language language = Language::english);

/// The page of a step that is done, with the way on from there, a path of ours.
web::Response done_step_page(int status, std::string_view way_on, Language language);

}  // namespace troupe::oauth
