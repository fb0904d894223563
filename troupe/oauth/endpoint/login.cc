// The sign-in page of a flow.
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/cookies.h"
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/endpoint/form.h"
#include "troupe/oauth/endpoint/page.h"
#include "troupe/oauth/endpoint/sign_in.h"
#include "troupe/oauth/endpoint/texts.h"

namespace troupe::oauth {
namespace {

LoginView view_of(const Flow& flow, const web::Request& http) {
  return {.language = language_for(http, flow.ui_locales),
          .client = flow.goal == FlowGoal::account ? "" : flow.request.client->metadata.name,
          .name = flow.request.login_hint,
          .problem = ""};
}

SignIn outcome_of(const actor::Failure<LoginError>& failure) {
  if (!failure.domain || failure.domain->reason == LoginError::Reason::busy) return SignIn::busy;
  return failure.domain->reason == LoginError::Reason::wrong ? SignIn::wrong : SignIn::slow_down;
}

/// The page again, with the reason; a name that is known and one that is not look alike.
web::Response refuse_login(const actor::Failure<LoginError>& failure, const FormPlace& place, LoginView view) {
  auto error = failure.domain.value_or(LoginError{LoginError::Reason::busy, std::chrono::seconds{2}});
  if (error.reason == LoginError::Reason::wrong) {
    view.problem = say(view.language, Text::wrong_login);
    return login_page(400, place, view);
  }
  bool is_slowed = error.reason == LoginError::Reason::slow_down;
  view.problem = say(view.language, is_slowed ? Text::slow_down : Text::busy);
  auto response = login_page(is_slowed ? 429 : 503, place, view);
  auto wait = std::max(error.retry_after, std::chrono::seconds{1});
  response.headers.add("Retry-After", std::to_string(wait.count()));
  if (failure.domain) response.refusal = web::Refusal::limit;  // so many hashes at once, and no more
  return response;
}

/// After the password: to the account; or on to the consent page, or, where all is agreed already, out with the code.
Task<web::Response> after_login(ServicePtr service, StartedSession started, BrowserToken browser, Visit visit) {
  const Flow& flow = started.next.flow;
  const auto finish = [&] {
    return finish_flow(service, {flow.id, std::move(browser), started.next.csrf, FinishedBy::login}, visit.language);
  };
  if (flow.goal == FlowGoal::account) {
    auto finished = co_await finish();
    if (!finished) co_return std::move(finished.error());
    co_return never_cached(web::redirect(303, "/account"));
  }
  const auto& wanted = flow.request.subject;
  if (wanted && *wanted != started.session.authentication.user) {  // somebody else than the client has asked for
    auto finished = co_await finish();
    if (!finished) co_return std::move(finished.error());
    co_return co_await end_with_error(service, std::move(finished->request), errors::login_required, visit.language);
  }
  auto agreed = co_await has_consent(service, flow.request, started.session.authentication.user);
  if (!agreed) co_return co_await end_with_error(service, flow.request, agreed.error(), visit.language);
  if (!*agreed) {
    // What was agreed to goes with a client that is removed, and nobody is to be asked for it then.
    auto stands = co_await service->codes.ask(CheckWayBack{flow.request.client->id, flow.request.redirect_uri});
    if (!stands) co_return error_page(told(stands.error()), visit.language);
    co_return continue_at("/consent", flow.id);
  }

  auto finished = co_await finish();
  if (!finished) co_return std::move(finished.error());
  co_return co_await send_code(service, finished->request, started.session.authentication, std::move(visit));
}

}  // namespace

Task<web::Response> show_login(ServicePtr service, web::Request http) {
  const Language language = language_for(http);
  auto query = wire::parse_form(http.query);
  auto browser = Cookies{service->options}.browser(http);
  if (!query || !browser) co_return lost_flow_page(400, language);
  FlowId id{parameter(*query, "flow")};
  auto ticket = co_await service->sessions.ask(GetFlow{id, *browser});
  if (!ticket && !ticket.error().domain) co_return error_page(errors::temporarily_unavailable, language);
  if (!ticket) co_return co_await lost_flow(service, std::move(id), std::move(*browser), 400, language);
  const Flow& flow = ticket->flow;
  co_return login_page(200, {flow.id, ticket->csrf}, view_of(flow, http));
}

Task<web::Response> log_in(ServicePtr service, web::Request http) {
  const Language language = language_for(http);
  Cookies cookies{service->options};
  auto browser = cookies.browser(http);  // 1. from a page of ours, in a browser that we know
  if (!browser || !is_same_origin(http)) co_return lost_flow_page(403, language);
  auto form = read_form(http);
  if (!form) co_return error_page(form.error(), language);

  FormPlace place{FlowId{parameter(*form, "flow")}, CsrfToken{parameter(*form, "csrf")}};  // 2. of this flow, once
  auto flow = co_await service->sessions.ask(CheckFlow{place.flow, *browser, place.csrf});
  if (!flow && !flow.error().domain) co_return error_page(errors::temporarily_unavailable, language);
  if (!flow) co_return co_await lost_flow(service, std::move(place.flow), std::move(*browser), 403, language);

  std::string name = parameter(*form, "username");  // 3. who is it
  auto user = co_await service->users.ask(VerifyPassword{UserName{name}, crypto::Password{parameter(*form, "password")},
                                                         http.peer.ip, cause_of(http), cookies.device(http)});
  service->figures->signed_in(user ? SignIn::ok : outcome_of(user.error()));
  if (!user) {
    LoginView view = view_of(*flow, http);
    view.name = std::move(name);
    co_return refuse_login(user.error(), place, std::move(view));
  }

  auto started = co_await service->sessions.ask(  // 4. a session under a new cookie
      StartSession{place.flow, *browser, place.csrf, user->id, user->password_since, cookies.session(http),
                   place_of(http), cause_of(http)});
  Visit visit = visit_of(http, flow->ui_locales);
  if (!started && !started.error().domain) co_return error_page(errors::temporarily_unavailable, visit.language);
  if (!started) co_return co_await lost_flow(service, place.flow, *browser, 403, visit.language);

  auto token = started->token;  // 5. what is still open
  auto response = co_await after_login(service, std::move(*started), std::move(*browser), std::move(visit));
  cookies.set_session(response, token);
  cookies.set_device(response, user->device);
  co_return response;
}

}  // namespace troupe::oauth
