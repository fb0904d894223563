// Signing out (OpenID Connect RP-Initiated Logout 1.0).
//
// A client that shows an ID token of the very session ends it at once; everybody else's
// request is a question to the user first, because any page can send a browser here. The
// way leads back only to an address that the client of a genuine ID token has registered.
#include <algorithm>

#include "troupe/crypto/digest.h"
#include "troupe/crypto/jwt.h"
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/cookies.h"
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/endpoint/form.h"
#include "troupe/oauth/endpoint/page.h"
#include "troupe/oauth/endpoint/sign_in.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/json.h"

namespace troupe::oauth {
namespace {

/// What a genuine ID token of ours says; it may have expired.
struct Hint {
  ClientId client;
  SessionId session;
};

std::optional<Hint> read_hint(const std::string& id_token, const KeySet& keys, const std::string& issuer) {
  for (const crypto::PublicKey& key : keys.verifying) {
    crypto::Verifier verifier{key};
    auto jwt = crypto::verify_jwt(verifier, id_token, {});
    if (!jwt) continue;
    auto claims = wire::parse_json(jwt->claims);
    if (!claims) return std::nullopt;
    const std::string* iss = claims->string_at("iss");
    const std::string* aud = claims->string_at("aud");
    const std::string* sid = claims->string_at("sid");
    if (!iss || *iss != issuer || !aud || !sid) return std::nullopt;
    return Hint{ClientId{*aud}, SessionId{*sid}};
  }
  return std::nullopt;
}

/// Proves that the form was made for this session: only our page could read its cookie.
CsrfToken csrf_of(const SessionToken& session) {
  return CsrfToken{wire::to_base64url(crypto::sha256("logout " + session.expose()).view())};
}

Step<std::optional<Hint>> hint_in(ServicePtr service, wire::Form parameters) {
  std::string id_token = parameter(parameters, "id_token_hint");
  if (id_token.empty()) co_return std::optional<Hint>{};
  auto keys = co_await service->keys.ask(GetKeys{});
  if (!keys) co_return std::unexpected(errors::temporarily_unavailable);
  co_return read_hint(id_token, **keys, service->options.issuer);
}

/// Ends the session of the cookie and takes back its tokens. Errors: temporarily_unavailable.
Step<bool> end_session(ServicePtr service, SessionToken cookie) {
  auto ended = co_await service->sessions.ask(EndSession{std::move(cookie)});
  if (!ended) co_return std::unexpected(errors::temporarily_unavailable);
  if (!*ended) co_return false;
  auto revoked = co_await service->tokens.ask(RevokeSession{(*ended)->id});
  if (!revoked) co_return std::unexpected(errors::temporarily_unavailable);
  co_return true;
}

/// Back to the client if its ID token is genuine and the address its own; else a page that says it is done.
Task<web::Response> farewell(ServicePtr service, std::optional<Hint> hint, wire::Form parameters) {
  std::string address = parameter(parameters, "post_logout_redirect_uri");
  if (hint && !address.empty()) {
    auto client = co_await service->clients.ask(GetClient{hint->client});
    if (!client) co_return error_page(errors::temporarily_unavailable);
    const bool is_known = *client && std::ranges::count((*client)->metadata.post_logout_redirect_uris, address) > 0;
    std::string state = parameter(parameters, "state");
    wire::Form back;
    if (!state.empty()) back.add("state", state);
    if (is_known) co_return never_cached(web::redirect(303, wire::add_query(address, back)));
  }
  co_return notice_page("You are signed out", "You may close this page.");
}

Task<web::Response> judge(ServicePtr service, web::Request http, wire::Form parameters) {
  Cookies cookies{service->options};
  auto hint = co_await hint_in(service, parameters);  // 1. who asks
  if (!hint) co_return error_page(hint.error());
  auto session = co_await present_session(service, http);  // 2. who is signed in
  if (!session) co_return error_page(session.error());
  if (!*session) co_return co_await farewell(service, std::move(*hint), std::move(parameters));

  auto cookie = cookies.session(http);
  bool is_theirs = *hint && (*hint)->session == (*session)->id;  // 3. of this session, or ask the user
  if (!is_theirs) co_return logout_page(csrf_of(*cookie));

  auto ended = co_await end_session(service, std::move(*cookie));  // 4. out
  if (!ended) co_return error_page(ended.error());
  auto response = co_await farewell(service, std::move(*hint), std::move(parameters));
  cookies.remove_session(response);
  co_return response;
}

}  // namespace

Task<web::Response> show_logout(ServicePtr service, web::Request http) {
  auto query = wire::parse_form(http.query);
  if (!query || query->duplicate()) co_return error_page(errors::invalid_request);
  co_return co_await judge(std::move(service), std::move(http), std::move(*query));
}

Task<web::Response> log_out(ServicePtr service, web::Request http) {
  auto form = read_form(http);
  if (!form) co_return error_page(form.error());
  if (!form->get("csrf")) co_return co_await judge(std::move(service), std::move(http), std::move(*form));

  Cookies cookies{service->options};
  auto cookie = cookies.session(http);
  bool is_ours = cookie && is_same_origin(http) &&
                 crypto::equal_in_constant_time(csrf_of(*cookie).expose(), parameter(*form, "csrf"));
  if (!is_ours) co_return lost_flow_page(403);
  auto ended = co_await end_session(service, std::move(*cookie));
  if (!ended) co_return error_page(ended.error());
  auto response = notice_page("You are signed out", "You may close this page.");
  cookies.remove_session(response);
  co_return response;
}

}  // namespace troupe::oauth
