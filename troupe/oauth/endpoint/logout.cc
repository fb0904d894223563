// Signing out (OpenID Connect RP-Initiated Logout 1.0).
//
// A client that shows an ID token of the very session ends it at once; everybody else's
// request is a question to the user first, because any page can send a browser here. The
// question's form remembers the way back, signed, and the way is judged again when it is taken.
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/cookies.h"
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/endpoint/form.h"
#include "troupe/oauth/endpoint/page.h"
#include "troupe/oauth/endpoint/page_proof.h"
#include "troupe/oauth/endpoint/sign_in.h"
#include "troupe/oauth/endpoint/texts.h"
#include "troupe/oauth/model/logout_request.h"

namespace troupe::oauth {
namespace {

/// What the question's form says and its proof signs.
wire::Form fields_of_question(const LogoutRequest& request) {
  return {{"page", "logout"},
          {"client_id", request.client_id},
          {"post_logout_redirect_uri", request.post_logout_redirect_uri},
          {"state", request.state}};
}

Step<LogoutParty> party_of(ServicePtr service, LogoutRequest request) {
  if (request.id_token_hint.empty()) co_return logout_party(request, std::nullopt);
  auto keys = co_await service->keys.ask(GetKeys{});
  if (!keys) co_return std::unexpected(errors::temporarily_unavailable);
  co_return logout_party(request, read_logout_hint(request.id_token_hint, **keys, service->options.issuer));
}

/// The address that the browser may be sent on to, if there is one. A client whose row is damaged has none that could
/// be trusted; its users must be able to sign out all the same.
Step<std::optional<std::string>> way_of(ServicePtr service, LogoutRequest request, std::optional<ClientId> client) {
  if (!client || request.post_logout_redirect_uri.empty()) co_return std::optional<std::string>{};
  auto known = co_await service->clients.ask(GetClient{*client});
  if (!known) {
    const OauthError error = told(known.error());
    if (error == errors::server_error) co_return std::optional<std::string>{};
    co_return std::unexpected(error);
  }
  co_return way_back(request, *known);
}

web::Response farewell(const std::optional<std::string>& way, Language language) {
  if (way) return never_cached(web::redirect(303, *way));
  return signed_out_page(language, std::nullopt);
}

/// Ends the session of the cookie with its tokens, and lets the browser forget it.
Task<web::Response> sign_out(ServicePtr service, SessionToken cookie, std::optional<std::string> way, Language language,
                             Cause cause) {
  auto ended = co_await service->sessions.ask(EndSession{std::move(cookie), std::move(cause)});
  if (!ended) co_return error_page(errors::temporarily_unavailable, language);
  auto response = farewell(way, language);
  Cookies{service->options}.remove_session(response);
  co_return response;
}

Task<web::Response> judge(ServicePtr service, web::Request http, LogoutRequest request) {
  const Language language = language_for(http, request.ui_locales);
  auto party = co_await party_of(service, request);  // 1. who asks
  if (!party) co_return error_page(party.error(), language);
  auto way = co_await way_of(service, request, party->client);  // 2. where to go afterwards
  if (!way) co_return error_page(way.error(), language);

  const Cause cause = cause_of(http);
  auto cookie = Cookies{service->options}.session(http);  // 3. who is signed in
  auto session = co_await present_session(service, std::move(http));
  if (!session) co_return error_page(session.error(), language);
  if (!*session) {
    if (*way && !party->session) co_return signed_out_page(language, *way);  // a client_id alone proves nothing
    co_return farewell(*way, language);
  }

  if (party->session == (*session)->id)
    co_return co_await sign_out(service, std::move(*cookie), std::move(*way), language, cause);
  LogoutRequest remembered;  // 4. the user is asked
  if (*way) {
    remembered = std::move(request);
    remembered.client_id = party->client->value();
  } else {
    remembered.ui_locales = std::move(request.ui_locales);
  }
  co_return logout_page(language, remembered, page_proof(*cookie, fields_of_question(remembered)));
}

/// The answer to our own question.
Task<web::Response> confirm(ServicePtr service, web::Request http, LogoutRequest request, std::string proof) {
  const Language language = language_for(http, request.ui_locales);
  auto cookie = Cookies{service->options}.session(http);
  if (!is_same_origin(http)) co_return lost_flow_page(403, language);
  if (cookie && !proves(*cookie, fields_of_question(request), proof)) co_return lost_flow_page(403, language);
  std::optional<ClientId> client;
  if (!request.client_id.empty()) client = ClientId{request.client_id};
  auto way = co_await way_of(service, std::move(request), std::move(client));
  if (!way) co_return error_page(way.error(), language);
  if (!cookie) co_return signed_out_page(language, *way);  // by the click before this one
  co_return co_await sign_out(std::move(service), std::move(*cookie), std::move(*way), language, cause_of(http));
}

}  // namespace

Task<web::Response> show_logout(ServicePtr service, web::Request http) {
  auto query = wire::parse_form(http.query);
  if (!query) co_return error_page(errors::invalid_request.because("The query is malformed."), language_for(http));
  auto request = read_logout_request(*query);
  if (!request) co_return error_page(request.error(), language_for(http));
  co_return co_await judge(std::move(service), std::move(http), std::move(*request));
}

Task<web::Response> log_out(ServicePtr service, web::Request http) {
  auto form = read_form(http);
  if (!form) co_return error_page(form.error(), language_for(http));
  auto request = read_logout_request(*form);
  if (!request) co_return error_page(request.error(), language_for(http));
  if (form->get("csrf")) {
    std::string proof = parameter(*form, "csrf");
    co_return co_await confirm(std::move(service), std::move(http), std::move(*request), std::move(proof));
  }
  // Browsers send no cookie along with another site's form, but do when they are led on to a page.
  if (!Cookies{service->options}.session(http)) {
    co_return never_cached(web::redirect(303, wire::add_query("/oauth/logout", parameters_of(*request))));
  }
  co_return co_await judge(std::move(service), std::move(http), std::move(*request));
}

}  // namespace troupe::oauth
