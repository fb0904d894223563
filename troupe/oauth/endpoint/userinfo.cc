// Userinfo: what an access token with the scope openid lets its holder know about the user.
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/bearer.h"
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/endpoint/form.h"
#include "troupe/wire/json.h"

namespace troupe::oauth {
namespace {

using Shown = std::expected<std::optional<TokenText>, OauthError>;

/// The token of the request, by exactly one of the ways of RFC 6750, section 2. The third, in the query, would leave
/// it in logs and histories, and is refused. A body that is no form bears no token, whatever it is.
Shown shown_token(const web::Request& http) {
  auto query = wire::parse_form(http.query);
  if (!query || query->get("access_token")) {
    return std::unexpected(errors::invalid_request.because("An access token must not stand in the URL."));
  }
  auto in_header = bearer_of(http);
  if (!in_header || http.method != web::Method::post || !is_form(http)) return in_header;
  auto form = read_form(http);
  if (!form) return std::unexpected(form.error());
  if (!form->get("access_token")) return in_header;
  if (*in_header) return std::unexpected(errors::invalid_request.because("The access token comes in two places."));
  return TokenText{parameter(*form, "access_token")};
}

web::Response claims_of(const User& user, const ScopeSet& scope) {
  std::string json;
  wire::JsonWriter writer{json};
  writer.begin_object().member("sub", user.id.value());
  if (scope.contains("profile")) writer.member("preferred_username", user.name.value());
  if (scope.contains("email") && user.email) writer.member("email", *user.email);
  writer.end_object();
  return answer_json(std::move(json));
}

}  // namespace

Task<web::Response> userinfo(ServicePtr service, web::Request http) {
  auto shown = shown_token(http);  // 1. the token
  if (!shown) co_return refuse_bearer(shown.error());
  if (!*shown) co_return refuse_bearer(std::nullopt);

  auto claims = co_await service->tokens.ask(ValidateToken{std::move(**shown)});  // 2. what it stands for
  if (!claims) co_return refuse_bearer(told(claims.error()));
  if (!claims->is_for(service->options.issuer)) co_return refuse_bearer(errors::invalid_token);
  if (!claims->scope.contains("openid")) co_return refuse_bearer(errors::insufficient_scope, "openid");
  if (!claims->user) co_return refuse_bearer(errors::invalid_token);

  auto user = co_await service->users.ask(GetUser{*claims->user});  // 3. the user
  if (!user) co_return refuse_bearer(errors::temporarily_unavailable);
  if (!*user || (*user)->state != UserState::enabled) co_return refuse_bearer(errors::invalid_token);
  co_return claims_of(**user, claims->scope);
}

}  // namespace troupe::oauth
