// The authorization_code grant: asks the one owner of the code to spend it.
#include "troupe/oauth/endpoint/form.h"
#include "troupe/oauth/grant/grants.h"
#include "troupe/oauth/model/pkce.h"

namespace troupe::oauth {

Redeemed redeem_authorization_code(ServicePtr service, wire::Form form, ClientPtr client, Cause cause) {
  ValidateAuthCode code{.code = TokenText{parameter(form, "code")},
                        .client = std::move(client),
                        .redirect_uri = parameter(form, "redirect_uri"),
                        .code_verifier = parameter(form, "code_verifier"),
                        .resources = resources_in(form),
                        .cause = std::move(cause)};
  if (code.code.expose().empty()) {
    co_return std::unexpected(errors::invalid_request.because("The parameter code is missing."));
  }
  if (!code.code_verifier.empty() && !is_pkce_verifier(code.code_verifier)) {
    co_return note_refused(*service, *code.client, "pkce_failed",
                           errors::invalid_grant.because("The code_verifier is malformed."), code.cause);
  }
  auto tokens = co_await service->codes.ask(std::move(code));
  if (!tokens) co_return std::unexpected(told(tokens.error()));
  co_return std::move(*tokens);
}

}  // namespace troupe::oauth
