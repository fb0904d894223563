// The authorization endpoint: judges the request, then asks the user only for what is missing.
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/cookies.h"
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/endpoint/form.h"
#include "troupe/oauth/endpoint/page.h"
#include "troupe/oauth/endpoint/sign_in.h"
#include "troupe/oauth/endpoint/texts.h"
#include "troupe/oauth/model/sign_in.h"

namespace troupe::oauth {
namespace {

/// The parameters of query and body together, so that one that stands in both is seen to come twice. Doubles are for
/// the request's judge to tell: most of them go back to the client.
std::expected<wire::Form, OauthError> read_parameters(const web::Request& http) {
  auto query = wire::parse_form(http.query);
  if (!query) return std::unexpected(errors::invalid_request.because("The query is malformed."));
  if (http.method != web::Method::post) return *query;
  auto body = read_whole_form(http);
  if (!body) return body;
  for (const auto& [name, value] : *body) query->add(name, value);
  return *query;
}

constexpr std::size_t led_on_bytes_max = 6 * 1024;  // what a browser and a head of ours have room for

/// Where a POST is led on to that comes without cookies. Browsers send none along with another site's form, but do when
/// they are led on: who is signed in would have to do so again, and what they have begun in other tabs would be lost.
std::optional<std::string> way_with_cookies(const Service& service, const web::Request& http,
                                            const wire::Form& parameters) {
  const Cookies cookies{service.options};
  if (http.method != web::Method::post || cookies.session(http) || cookies.browser(http)) return std::nullopt;
  std::string way = wire::add_query("/oauth/authorize", parameters);
  return way.size() <= led_on_bytes_max ? std::optional{std::move(way)} : std::nullopt;
}

/// Where the same request is made anew.
std::string address_of(const web::Request& http) {
  const auto parameters = read_parameters(http);
  return parameters ? wire::add_query("/oauth/authorize", *parameters) : std::string{};
}

/// Where a flow goes on, and in which languages its client wants that.
struct NextPage {
  std::string_view path;
  std::string ui_locales;
};

/// Begins a flow that continues at `page`; the browser gets its cookie if it has none yet.
Task<web::Response> begin_flow(ServicePtr service, web::Request http, AuthRequest request, NextPage page) {
  Cookies cookies{service->options};
  auto begun = co_await service->sessions.ask(BeginFlow{.request = request,
                                                        .browser = cookies.browser(http),
                                                        .ui_locales = std::move(page.ui_locales),
                                                        .address = address_of(http),
                                                        .peer = http.peer.ip});
  if (!begun) co_return send_error(*service, request, errors::temporarily_unavailable);
  auto response = continue_at(page.path, begun->ticket.flow.id);
  cookies.set_browser(response, begun->browser);
  co_return response;
}

}  // namespace

Task<web::Response> authorize(ServicePtr service, web::Request http) {
  auto parameters = read_parameters(http);  // 1. what is asked, read once
  if (!parameters) co_return error_page(parameters.error(), language_for(http));
  const auto led_on = way_with_cookies(*service, http, *parameters);
  std::string ui_locales = parameter(*parameters, "ui_locales");
  const Language language = language_for(http, ui_locales);

  auto request = co_await service->codes.ask(ValidateAuthRequest{std::move(*parameters)});  // 2. may it be
  if (!request) co_return refuse_request(request.error(), service->options.issuer, language);
  if (led_on) co_return never_cached(web::redirect(303, *led_on));

  auto session = co_await present_session(service, http);  // 3. who is there
  if (!session) co_return send_error(*service, *request, session.error());
  auto authentication = standing_authentication(*request, std::nullopt, *session);
  if (!authentication) {
    if (request->prompt == Prompt::none) co_return send_error(*service, *request, errors::login_required);
    co_return co_await begin_flow(service, std::move(http), std::move(*request), {"/login", std::move(ui_locales)});
  }

  auto agreed = co_await has_consent(service, *request, authentication->user);  // 4. have they agreed
  if (!agreed) co_return send_error(*service, *request, agreed.error());
  if (!*agreed) {
    if (request->prompt == Prompt::none) co_return send_error(*service, *request, errors::consent_required);
    co_return co_await begin_flow(service, std::move(http), std::move(*request), {"/consent", std::move(ui_locales)});
  }

  co_return co_await send_code(service, std::move(*request), std::move(*authentication),
                               {cause_of(http), language});  // 5. back, with a code
}

}  // namespace troupe::oauth
