// See sign_in.h.
#include "troupe/oauth/endpoint/sign_in.h"

#include <fmt/format.h>
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/cookies.h"
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

Task<web::Response> send_code(ServicePtr service, AuthRequest request, Authentication authentication, Cause cause) {
  const auto taken = service->session_rates.take(authentication.session, actor::Core::current()->now());
  if (!taken) co_return send_error(*service, request, taken.error());
  auto issued = co_await service->codes.ask(CreateAuthCode{.request = request,
                                                           .authentication = std::move(authentication),
                                                           .scope = request.scope,
                                                           .cause = std::move(cause)});
  if (!issued) co_return send_error(*service, request, told(issued.error()));

  wire::Form parameters{{"code", issued->code.expose()}};
  if (!request.state.empty()) parameters.add("state", request.state);
  co_return redirect_back(request.redirect_uri, request.way, std::move(parameters), service->options.issuer);
}

web::Response send_error(const Service& service, const AuthRequest& request, const OauthError& error) {
  return redirect_back(AuthRefusal{error, request.redirect_uri, request.state, request.way}, service.options.issuer);
}

web::Response continue_at(std::string_view page, const FlowId& flow) {
  return never_cached(web::redirect(303, fmt::format("{}?flow={}", page, wire::percent_encode(flow.value()))));
}

}  // namespace troupe::oauth
