// The token endpoint: five steps, whatever the grant.
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/client_auth.h"
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/endpoint/form.h"
#include "troupe/oauth/grant/grants.h"
#include "troupe/wire/json.h"

namespace troupe::oauth {
namespace {

web::Response granted(const IssuedTokens& tokens) {
  std::string json;
  wire::JsonWriter writer{json};
  writer.begin_object()
      .member("access_token", tokens.access_token.expose())
      .member("token_type", "Bearer")
      .member("expires_in", tokens.expires_in.count());
  if (tokens.refresh_token) writer.member("refresh_token", tokens.refresh_token->expose());
  if (!tokens.scope.empty()) writer.member("scope", tokens.scope.text());
  if (tokens.id_token) writer.member("id_token", tokens.id_token->expose());
  writer.end_object();
  return answer_json(std::move(json));
}

Redeemed redeem(ServicePtr service, web::Request http) {
  auto form = read_form(http);  // 1. the form, read once
  if (!form) co_return std::unexpected(form.error());
  std::string grant_type = parameter(*form, "grant_type");
  if (grant_type.empty()) {
    co_return std::unexpected(errors::invalid_request.because("The parameter grant_type is missing."));
  }

  auto client = co_await authenticate(service, presented_client(http, *form), cause_of(http));  // 2. who asks
  if (!client) co_return std::unexpected(client.error());

  const GrantHandler* grant = find_grant(grant_type);  // 3. whose rules
  if (!grant) co_return std::unexpected(errors::unsupported_grant_type);
  if (!(*client)->may_use(grant->type)) {
    co_return note_refused(*service, **client, "another_grant", errors::unauthorized_client, cause_of(http));
  }

  auto tokens =
      co_await grant->redeem(service, std::move(*form), std::move(*client), cause_of(http));  // 4. prove and issue
  if (tokens) service->figures->issued(grant->type);
  co_return tokens;
}

}  // namespace

Task<web::Response> token(ServicePtr service, web::Request http) {
  auto tokens = co_await redeem(service, std::move(http));
  if (tokens) co_return granted(*tokens);  // 5. answer, never cached
  service->figures->refused("token", tokens.error());
  co_return refuse(tokens.error());
}

}  // namespace troupe::oauth
