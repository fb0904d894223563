// Token revocation: a client takes back what it was given.
#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/client_auth.h"
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/endpoint/form.h"

namespace troupe::oauth {

Task<web::Response> revoke(ServicePtr service, web::Request http) {
  auto form = read_form(http);  // 1. the form
  if (!form) co_return refuse(form.error());

  auto caller = co_await authenticate(service, presented_client(http, *form), cause_of(http));  // 2. who asks
  if (!caller) co_return refuse(caller.error());

  std::string shown = parameter(*form, "token");  // 3. what; the hint would only save a lookup that we do not need
  if (shown.empty()) co_return refuse(errors::invalid_request.because("The parameter token is missing."));

  auto revoked = co_await service->tokens.ask(  // 4. its owner takes it back, durably
      RevokeToken{TokenText{std::move(shown)}, std::move(*caller), cause_of(http)});
  if (!revoked) co_return refuse(told(revoked.error()));
  service->figures->revoked();
  co_return answer_json("{}");  // nobody needs a body, but some clients take an empty one for no answer
}

}  // namespace troupe::oauth
