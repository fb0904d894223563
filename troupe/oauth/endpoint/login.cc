// The sign-in page of a flow.
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/cookies.h"
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/endpoint/form.h"
#include "troupe/oauth/endpoint/page.h"
#include "troupe/oauth/endpoint/sign_in.h"

namespace troupe::oauth {
namespace {

/// What the person goes on to, as the page says it.
std::string goal_of(const Flow& flow) {
  return flow.goal == FlowGoal::account ? "your account" : flow.request.client->metadata.name;
}

/// The page again, with the reason; a name that is known and one that is not look alike.
web::Response refuse_login(const actor::Failure<LoginError>& failure, const FormPlace& place, std::string_view goal,
                           const std::string& name) {
  auto error = failure.domain.value_or(LoginError{LoginError::Reason::busy, std::chrono::seconds{2}});
  if (error.reason == LoginError::Reason::wrong) {
    return login_page(400, place, goal, name, "The user name or the password is wrong.");
  }
  bool is_slowed = error.reason == LoginError::Reason::slow_down;
  auto response = login_page(is_slowed ? 429 : 503, place, goal, name,
                             is_slowed ? "Too many attempts. Wait a little and try again."
                                       : "We cannot check passwords right now. Please try again.");
  auto wait = std::max(error.retry_after, std::chrono::seconds{1});
  response.headers.add("Retry-After", std::to_string(wait.count()));
  return response;
}

/// After the password: to the account; or on to the consent page, or, where all is agreed already, out with the code.
Task<web::Response> after_login(ServicePtr service, StartedSession started, BrowserToken browser) {
  const Flow& flow = started.next.flow;
  if (flow.goal == FlowGoal::account) {
    auto finished = co_await service->sessions.ask(FinishFlow{flow.id, std::move(browser), started.next.csrf});
    if (!finished) co_return lost_flow_page(403);
    co_return never_cached(web::redirect(303, "/account"));
  }
  auto agreed = co_await has_consent(service, flow.request, started.session.authentication.user);
  if (!agreed) co_return send_error(*service, flow.request, agreed.error());
  if (!*agreed) co_return continue_at("/consent", flow.id);

  auto finished = co_await service->sessions.ask(FinishFlow{flow.id, std::move(browser), started.next.csrf});
  if (!finished) co_return lost_flow_page(403);
  co_return co_await send_code(service, finished->request, started.session.authentication);
}

}  // namespace

Task<web::Response> show_login(ServicePtr service, web::Request http) {
  auto query = wire::parse_form(http.query);
  auto browser = Cookies{service->options}.browser(http);
  if (!query || !browser) co_return lost_flow_page(400);
  auto ticket = co_await service->sessions.ask(GetFlow{FlowId{parameter(*query, "flow")}, std::move(*browser)});
  if (!ticket && !ticket.error().domain) co_return error_page(errors::temporarily_unavailable);
  if (!ticket) co_return lost_flow_page(400);
  const Flow& flow = ticket->flow;
  co_return login_page(200, {flow.id, ticket->csrf}, goal_of(flow), flow.request.login_hint, "");
}

Task<web::Response> log_in(ServicePtr service, web::Request http) {
  Cookies cookies{service->options};
  auto browser = cookies.browser(http);  // 1. from a page of ours, in a browser that we know
  if (!browser || !is_same_origin(http)) co_return lost_flow_page(403);
  auto form = read_form(http);
  if (!form) co_return error_page(form.error());

  FormPlace place{FlowId{parameter(*form, "flow")}, CsrfToken{parameter(*form, "csrf")}};  // 2. of this flow, once
  auto flow = co_await service->sessions.ask(CheckFlow{place.flow, *browser, place.csrf});
  if (!flow && !flow.error().domain) co_return error_page(errors::temporarily_unavailable);
  if (!flow) co_return lost_flow_page(403);

  std::string name = parameter(*form, "username");  // 3. who is it
  auto user = co_await service->users.ask(
      VerifyPassword{UserName{name}, crypto::Password{parameter(*form, "password")}, http.peer.ip});
  if (!user) co_return refuse_login(user.error(), place, goal_of(*flow), name);

  auto started = co_await service->sessions.ask(  // 4. a session under a new cookie
      StartSession{place.flow, *browser, place.csrf, user->id, cookies.session(http), place_of(http)});
  if (!started && !started.error().domain) co_return error_page(errors::temporarily_unavailable);
  if (!started) co_return lost_flow_page(403);

  auto token = started->token;
  auto response = co_await after_login(service, std::move(*started), std::move(*browser));  // 5. what is still open
  cookies.set_session(response, token);
  co_return response;
}

}  // namespace troupe::oauth
