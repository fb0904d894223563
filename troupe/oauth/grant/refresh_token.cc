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

std::vector<std::string> asked_resources(const wire::Form& form) {
  std::vector<std::string> resources;
  for (const auto& [name, value] : form) {
    if (name == "resource") resources.push_back(value);
  }
  return resources;
}

}  // namespace

Redeemed redeem_refresh_token(ServicePtr service, wire::Form form, ClientPtr client) {
  std::string shown = parameter(form, "refresh_token");
  if (shown.empty())
    co_return std::unexpected(errors::invalid_request.because("The parameter refresh_token is missing."));
  auto scope = asked_scope(form);
  if (!scope) co_return std::unexpected(scope.error());
  auto tokens = co_await service->tokens.ask(
      RefreshToken{TokenText{std::move(shown)}, std::move(client), std::move(*scope), asked_resources(form)});
  if (!tokens) co_return std::unexpected(told(tokens.error()));
  co_return std::move(*tokens);
}

}  // namespace troupe::oauth
