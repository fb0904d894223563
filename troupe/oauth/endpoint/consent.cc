// The consent page of a flow: what the client asks for, to allow or to deny.
#include "troupe/oauth/endpoint/cookies.h"
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/endpoint/form.h"
#include "troupe/oauth/endpoint/page.h"
#include "troupe/oauth/endpoint/sign_in.h"
#include "troupe/oauth/endpoint/texts.h"
#include "troupe/oauth/model/sign_in.h"

namespace troupe::oauth {
namespace {

std::optional<Authentication> standing(const Flow& flow, const std::optional<Session>& session) {
  return standing_authentication(flow.request, flow.signed_in, session);
}

/// Remembers what was agreed, so that the same need not be asked again, and ends the flow with a code.
Task<web::Response> allow(ServicePtr service, Flow flow, Authentication authentication, Visit visit) {
  auto recorded = co_await service->users.ask(
      RecordConsent{authentication.user, flow.request.client->id, flow.request.scope, visit.cause});
  if (!recorded) {
    co_return co_await end_with_error(service, std::move(flow.request), errors::temporarily_unavailable,
                                      visit.language);
  }
  co_return co_await send_code(service, std::move(flow.request), std::move(authentication), std::move(visit));
}

/// Tells the client that the user does not want it, and the audit trail.
Task<web::Response> deny(ServicePtr service, Flow flow, Authentication authentication, Visit visit) {
  auto recorded =
      co_await service->users.ask(RecordDenial{authentication.user, flow.request.client->id, std::move(visit.cause)});
  const OauthError answer = recorded ? errors::access_denied : errors::temporarily_unavailable;
  co_return co_await end_with_error(service, std::move(flow.request), answer, visit.language);
}

/// Leads to the page once more, where the form was for somebody else. One that is for nobody is none of ours.
Task<web::Response> ask_again(ServicePtr service, UserId asked, FlowId flow, Language language) {
  auto user = co_await service->users.ask(GetUser{std::move(asked)});
  if (!user) co_return error_page(errors::temporarily_unavailable, language);
  if (!*user) co_return lost_flow_page(403, language);
  co_return continue_at("/consent", flow);
}

}  // namespace

Task<web::Response> show_consent(ServicePtr service, web::Request http) {
  const Language language = language_for(http);
  auto query = wire::parse_form(http.query);
  auto browser = Cookies{service->options}.browser(http);
  if (!query || !browser) co_return lost_flow_page(400, language);
  FlowId id{parameter(*query, "flow")};
  auto ticket = co_await service->sessions.ask(GetFlow{id, *browser});
  if (!ticket && !ticket.error().domain) co_return error_page(errors::temporarily_unavailable, language);
  if (!ticket) co_return co_await lost_flow(service, std::move(id), std::move(*browser), 400, language);
  if (ticket->flow.goal != FlowGoal::code) co_return lost_flow_page(400, language);

  const Language in = language_for(http, ticket->flow.ui_locales);
  auto session = co_await present_session(service, std::move(http));
  if (!session) co_return error_page(session.error(), in);
  auto authentication = standing(ticket->flow, *session);
  if (!authentication) co_return continue_at("/login", ticket->flow.id);

  auto user = co_await service->users.ask(GetUser{authentication->user});
  if (!user) co_return error_page(errors::temporarily_unavailable, in);
  if (!*user) co_return continue_at("/login", ticket->flow.id);
  co_return consent_page(in, {ticket->flow.id, ticket->csrf}, ticket->flow.request, **user);
}

Task<web::Response> give_consent(ServicePtr service, web::Request http) {
  const Language language = language_for(http);
  auto browser = Cookies{service->options}.browser(http);  // 1. from a page of ours, in a browser that we know
  if (!browser || !is_same_origin(http)) co_return lost_flow_page(403, language);
  auto form = read_form(http);
  if (!form) co_return error_page(form.error(), language);
  std::string decision = parameter(*form, "decision");
  if (decision != "allow" && decision != "deny") co_return error_page(errors::invalid_request, language);

  FormPlace place{FlowId{parameter(*form, "flow")}, CsrfToken{parameter(*form, "csrf")}};  // 2. of this flow
  auto flow = co_await service->sessions.ask(CheckFlow{place.flow, *browser, place.csrf});
  if (!flow && !flow.error().domain) co_return error_page(errors::temporarily_unavailable, language);
  if (!flow) co_return co_await lost_flow(service, std::move(place.flow), std::move(*browser), 403, language);
  if (flow->goal != FlowGoal::code) co_return lost_flow_page(403, language);
  Visit visit = visit_of(http, flow->ui_locales);

  auto session = co_await present_session(service, std::move(http));  // 3. by who is signed in
  if (!session) co_return error_page(session.error(), visit.language);
  auto authentication = standing(*flow, *session);
  if (!authentication) co_return continue_at("/login", place.flow);
  // Another tab may have signed in somebody else meanwhile, who has not seen what was asked.
  const UserId asked{parameter(*form, "person")};
  if (asked != authentication->user)
    co_return co_await ask_again(service, asked, std::move(place.flow), visit.language);

  auto finished =
      co_await finish_flow(service, {place.flow, std::move(*browser), place.csrf}, visit.language);  // 4. once
  if (!finished) co_return std::move(finished.error());

  const auto decided = decision == "deny" ? deny : allow;  // 5. back
  co_return co_await decided(service, std::move(*finished), std::move(*authentication), std::move(visit));
}

}  // namespace troupe::oauth
