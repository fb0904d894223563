// The pages that people see: sign-in, consent, sign-out, and errors. Plain HTML and one
// stylesheet; no script, nothing from elsewhere.
//
// Whatever comes from outside passes through `escape`, and the policy lets a page load its
// stylesheet and nothing else. `form-action` is absent on purpose: browsers apply it to the
// redirect that answers the form too, which leads to the client's address.
#pragma once

#include <string>
#include <string_view>

#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/session.h"
#include "troupe/web/message.h"

namespace troupe::oauth {

inline constexpr std::string_view stylesheet_path = "/oauth/pages.css";

/// `text` as it must stand in HTML text or a quoted attribute.
std::string escape(std::string_view text);

/// Where a form belongs: the flow, and the token of its page.
struct FormPlace {
  FlowId flow;
  CsrfToken csrf;
};

/// Name and password. `problem` says why the last try failed, "" at the first.
web::Response login_page(int status, const FormPlace& place, const Client& client, std::string_view name,
                         std::string_view problem);

/// What the client asks for, to allow or to deny.
web::Response consent_page(const FormPlace& place, const AuthRequest& request, std::string_view user_name);

/// Asks whether the user wants to sign out.
web::Response logout_page(const CsrfToken& csrf);

/// Says that something has been done; there is nothing to do on it.
web::Response notice_page(std::string_view title, std::string_view text);

/// Tells the user what went wrong, where nobody else may be told.
web::Response error_page(const OauthError& error);

/// The page of a flow that is not there any more: too old, finished, or another browser's.
web::Response lost_flow_page(int status);

}  // namespace troupe::oauth
