// The steps that the pages of a sign-in share: who is there, what they agreed to, and the
// end of it, the code.
#pragma once

#include <expected>
#include <optional>

#include "troupe/oauth/endpoint/service.h"
#include "troupe/oauth/model/cause.h"
#include "troupe/oauth/model/language.h"
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

/// What of the HTTP request that ends a sign-in is needed behind it: for the audit trail, and for a page of ours.
struct Visit {
  Cause cause;
  Language language = Language::english;
};

Visit visit_of(const web::Request& http, std::string_view ui_locales = {});

/// What whoever comes to a step of a flow is shown that is not to be done any more: the way on for the browser whose
/// flow it is, and to any other that there is none.
Task<web::Response> lost_flow(ServicePtr service, FlowId flow, BrowserToken browser, int status, Language language);

/// Takes the flow out, which can be done once; or gives the page that says why it cannot be.
Task<std::expected<Flow, web::Response>> finish_flow(ServicePtr service, FinishFlow finish, Language language);

/// Makes the code and sends the user back with it; or with the error, if there is one. Where the client may not be told
/// any more, because it was changed meanwhile, the user sees a page of ours.
Task<web::Response> send_code(ServicePtr service, AuthRequest request, Authentication authentication, Visit visit);

/// Sends the user back with an error to the client of a request that has just been judged.
web::Response send_error(const Service& service, const AuthRequest& request, const OauthError& error);

/// The same for a request whose flow began earlier: looks again whether its client may be told, and shows the user a
/// page of ours where it may not.
Task<web::Response> end_with_error(ServicePtr service, AuthRequest request, OauthError error, Language language);

/// The refusal as it may be told: by redirect, or on a page of ours where nobody else may know.
web::Response refuse_request(const actor::Failure<AuthRefusal>& failure, const std::string& issuer, Language language);

/// 303 to a page of this flow: "/login" or "/consent".
web::Response continue_at(std::string_view page, const FlowId& flow);

}  // namespace troupe::oauth
