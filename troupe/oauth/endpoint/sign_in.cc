// See sign_in.h.
#include "troupe/oauth/endpoint/sign_in.h"

#include <fmt/format.h>
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/cookies.h"
#include "troupe/oauth/endpoint/form.h"
#include "troupe/oauth/endpoint/page.h"
#include "troupe/oauth/endpoint/texts.h"
#include "troupe/oauth/model/sign_in.h"
#include "troupe/wire/url.h"

namespace troupe::oauth {

Step<std::optional<Session>> present_session(ServicePtr service, web::Request http) {
  auto cookie = Cookies{service->options}.session(http);
  if (!cookie) co_return std::optional<Session>{};
  auto session = co_await service->sessions.ask(GetSession{std::move(*cookie)});
  if (!session) co_return std::unexpected(errors::temporarily_unavailable);
  co_return std::move(*session);
}

SignInPlace place_of(const web::Request& http) {
  return {.user_agent = shown_user_agent(http.header("user-agent")), .address = http.peer.ip.text()};
}

Step<bool> has_consent(ServicePtr service, AuthRequest request, UserId user) {
  if (forces_consent(request) || !is_client_assured(request)) co_return false;
  auto agreed = co_await service->users.ask(GetConsent{std::move(user), request.client->id});
  if (!agreed) co_return std::unexpected(errors::temporarily_unavailable);
  co_return request.scope.is_within(*agreed);
}

Visit visit_of(const web::Request& http, std::string_view ui_locales) {
  return {.cause = cause_of(http), .language = language_for(http, ui_locales)};
}

namespace {

std::string path_of(std::string_view page, const FlowId& flow) {
  return fmt::format("{}?flow={}", page, wire::percent_encode(flow.value()));
}

std::string path_of(WayOn way_on, const FlowId& flow) {
  if (way_on.step == FlowStep::nothing) return std::move(way_on.address);
  return path_of(way_on.step == FlowStep::consent ? "/consent" : "/login", flow);
}

}  // namespace

Task<web::Response> lost_flow(ServicePtr service, FlowId flow, BrowserToken browser, int status, Language language) {
  auto way_on = co_await service->sessions.ask(GetWayOn{flow, std::move(browser)});
  if (!way_on) co_return error_page(errors::temporarily_unavailable, language);
  if (!*way_on) co_return lost_flow_page(status, language);
  const auto path = path_of(std::move(**way_on), flow);
  auto response = done_step_page(status, path, language);
  // Of a form the browser knows no other answer than this one, and goes on by itself; whoever came back by themselves
  // need not.
  if (status == 403) response.headers.add("Refresh", "0; url=" + path);
  co_return response;
}

Task<std::expected<Flow, web::Response>> finish_flow(ServicePtr service, FinishFlow finish, Language language) {
  auto finished = co_await service->sessions.ask(finish);
  if (finished) co_return std::move(*finished);
  if (!finished.error().domain) co_return std::unexpected(error_page(errors::temporarily_unavailable, language));
  co_return std::unexpected(
      co_await lost_flow(service, std::move(finish.flow), std::move(finish.browser), 403, language));
}

Task<web::Response> send_code(ServicePtr service, AuthRequest request, Authentication authentication, Visit visit) {
  const auto taken = service->session_rates.take(authentication.session, actor::Core::current()->now());
  if (!taken) co_return co_await end_with_error(service, std::move(request), taken.error(), visit.language);
  auto issued = co_await service->codes.ask(CreateAuthCode{.request = request,
                                                           .authentication = std::move(authentication),
                                                           .scope = request.scope,
                                                           .cause = std::move(visit.cause)});
  if (!issued) co_return refuse_request(issued.error(), service->options.issuer, visit.language);

  wire::Form parameters{{"code", issued->code.expose()}};
  if (!request.state.empty()) parameters.add("state", request.state);
  co_return redirect_back(request.redirect_uri, request.way, std::move(parameters), service->options.issuer);
}

web::Response send_error(const Service& service, const AuthRequest& request, const OauthError& error) {
  return redirect_back(refusal_of(request, error), service.options.issuer);
}

Task<web::Response> end_with_error(ServicePtr service, AuthRequest request, OauthError error, Language language) {
  auto stands = co_await service->codes.ask(CheckWayBack{request.client->id, request.redirect_uri});
  if (!stands) co_return error_page(told(stands.error()), language);
  co_return send_error(*service, request, error);
}

web::Response refuse_request(const actor::Failure<AuthRefusal>& failure, const std::string& issuer, Language language) {
  if (!failure.domain) return error_page(errors::temporarily_unavailable, language);
  if (failure.domain->stays_here()) return error_page(failure.domain->error, language);
  return redirect_back(*failure.domain, issuer);
}

web::Response continue_at(std::string_view page, const FlowId& flow) {
  return never_cached(web::redirect(303, path_of(page, flow)));
}

}  // namespace troupe::oauth
