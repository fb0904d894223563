// The client_credentials grant: a client acts for itself.
#include "troupe/oauth/endpoint/form.h"
#include "troupe/oauth/grant/grants.h"

namespace troupe::oauth {
namespace {

/// Scopes that speak of a user; without one behind the request they mean nothing.
constexpr std::string_view user_scopes[] = {"openid", "profile", "email", "offline_access"};

/// What the client asks for, or all it may have without a user when it names nothing (RFC 6749, section 3.3).
std::expected<ScopeSet, OauthError> scope_for(const Client& client, const wire::Form& form) {
  ScopeSet allowed = client.metadata.scope;
  for (auto name : user_scopes) allowed = allowed.without(name);
  if (!form.get("scope")) return allowed;
  auto asked = ScopeSet::parse(parameter(form, "scope"));
  if (!asked) return std::unexpected(errors::invalid_scope.because("The scope is malformed."));
  if (!asked->is_within(allowed)) {
    return std::unexpected(errors::invalid_scope.because("The scope exceeds what the client may ask for itself."));
  }
  return std::move(*asked);
}

}  // namespace

Redeemed redeem_client_credentials(ServicePtr service, wire::Form form, ClientPtr client, Cause cause) {
  if (client->is_public())
    co_return note_refused(*service, *client, "another_grant", errors::unauthorized_client, cause);
  auto scope = scope_for(*client, form);
  const bool is_malformed = !scope && !ScopeSet::parse(parameter(form, "scope"));
  if (is_malformed) co_return std::unexpected(scope.error());
  if (!scope) co_return note_refused(*service, *client, "wider_scope", scope.error(), cause);
  auto audience = audience_of(resources_in(form), service->options);
  if (!audience) co_return note_refused(*service, *client, "another_target", audience.error(), cause);

  Grant grant{.client = client->id, .scope = std::move(*scope), .audience = std::move(*audience)};
  auto tokens = co_await service->tokens.ask(CreateToken{std::move(client), std::move(grant), std::move(cause)});
  if (!tokens) co_return std::unexpected(told(tokens.error()));
  co_return std::move(*tokens);
}

}  // namespace troupe::oauth
