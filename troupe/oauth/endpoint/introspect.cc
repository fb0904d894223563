// Token introspection: what a token stands for, for those who may know.
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/client_auth.h"
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/endpoint/form.h"
#include "troupe/wire/json.h"

namespace troupe::oauth {
namespace {

/// An audience of one is a string, as most readers expect; of more an array (RFC 7519, section 4.1.3).
void write_audience(wire::JsonWriter& writer, const std::vector<std::string>& audience) {
  if (audience.size() == 1) {
    writer.member("aud", audience.front());
    return;
  }
  writer.key("aud").begin_array();
  for (const std::string& one : audience) writer.value(one);
  writer.end_array();
}

web::Response active(const TokenClaims& claims, const std::string& issuer) {
  std::string json;
  wire::JsonWriter writer{json};
  writer.begin_object().member("active", true).member("client_id", claims.client.value());
  if (!claims.scope.empty()) writer.member("scope", claims.scope.text());
  if (claims.use == TokenUse::access) writer.member("token_type", "Bearer");
  writer.member("exp", claims.expires_at.seconds())
      .member("iat", claims.issued_at.seconds())
      .member("sub", claims.subject)
      .member("iss", issuer)
      .member("jti", claims.id.text());
  write_audience(writer, claims.audience);
  if (claims.auth_time) writer.member("auth_time", claims.auth_time->seconds());
  if (claims.session) writer.member("sid", claims.session->value());
  writer.end_object();
  return answer_json(std::move(json));
}

}  // namespace

Task<web::Response> introspect(ServicePtr service, web::Request http) {
  auto form = read_form(http);  // 1. the form
  if (!form) co_return refuse(form.error());

  auto caller = co_await authenticate(service, http, *form);  // 2. who is asking; a public client proves nothing
  if (!caller) co_return refuse(caller.error(), credentials_of(http));
  if ((*caller)->is_public()) co_return refuse(errors::invalid_client);

  std::string shown = parameter(*form, "token");  // 3. about what
  if (shown.empty()) co_return refuse(errors::invalid_request.because("The parameter token is missing."));

  auto claims = co_await service->tokens.ask(IntrospectToken{TokenText{std::move(shown)}, std::move(*caller)});
  if (!claims) co_return refuse(errors::temporarily_unavailable);
  if (!*claims) co_return answer_json(R"({"active":false})");  // 4. and nothing else (RFC 7662, section 2.2)
  co_return active(**claims, service->options.issuer);
}

}  // namespace troupe::oauth
