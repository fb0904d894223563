// The refresh_token grant: asks the one owner of the token's family.
#include "troupe/oauth/endpoint/form.h"
#include "troupe/oauth/grant/grants.h"

namespace troupe::oauth {
namespace {

/// What the client asks for: nothing means what it was granted.
std::expected<std::optional<ScopeSet>, OauthError> asked_scope(const wire::Form& form) {
  if (!form.get("scope")) return std::nullopt;
  auto scope = ScopeSet::parse(parameter(form, "scope"));
  if (!scope) return std::unexpected(errors::invalid_scope.because("The scope is malformed."));
  return std::move(*scope);
}

}  // namespace

Redeemed redeem_refresh_token(ServicePtr service, wire::Form form, ClientPtr client, Cause cause) {
  std::string shown = parameter(form, "refresh_token");
  if (shown.empty())
    co_return std::unexpected(errors::invalid_request.because("The parameter refresh_token is missing."));
  auto scope = asked_scope(form);
  if (!scope) co_return std::unexpected(scope.error());
  auto tokens = co_await service->tokens.ask(RefreshToken{.refresh_token = TokenText{std::move(shown)},
                                                          .client = std::move(client),
                                                          .scope = std::move(*scope),
                                                          .resources = resources_in(form),
                                                          .cause = std::move(cause)});
  if (!tokens) co_return std::unexpected(told(tokens.error()));
  co_return std::move(*tokens);
}

}  // namespace troupe::oauth
