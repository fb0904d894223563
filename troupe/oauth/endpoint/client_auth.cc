// See client_auth.h.
#include "troupe/oauth/endpoint/client_auth.h"

#include <string>

#include "troupe/oauth/endpoint/form.h"
#include "troupe/oauth/model/client_assertion.h"
#include "troupe/wire/ascii.h"
#include "troupe/wire/base64.h"

namespace troupe::oauth {
namespace {

std::unexpected<OauthError> malformed(std::string_view why) {
  return std::unexpected(errors::invalid_request.because(why));
}

/// `Basic base64(form-encoded id ":" form-encoded secret)`. The encoding is what lets a colon into either.
std::expected<ValidateClient, OauthError> from_basic(std::string_view header) {
  constexpr std::string_view why = "The Authorization header is malformed.";
  std::size_t space = header.find(' ');
  if (space == std::string_view::npos || !wire::equal_ignoring_case(header.substr(0, space), "basic")) {
    return malformed("The Authorization header must use the scheme Basic.");
  }
  auto pair = wire::from_base64(wire::trim(header.substr(space)));
  if (!pair) return malformed(why);
  std::size_t colon = pair->find(':');
  if (colon == std::string::npos) return malformed(why);
  auto id = wire::form_decode(std::string_view{*pair}.substr(0, colon));
  auto secret = wire::form_decode(std::string_view{*pair}.substr(colon + 1));
  if (!id || !secret || id->empty()) return malformed(why);
  return ValidateClient{ClientId{std::move(*id)}, ClientAuthMethod::client_secret_basic,
                        ClientSecret{std::move(*secret)}};
}

/// An assertion says itself which client it is of; a `client_id` beside it must be the same (RFC 7521, section 4.2).
Presented from_assertion(const web::Request& request, const wire::Form& form) {
  if (request.headers.has("authorization") || form.get("client_secret")) {
    return malformed("The client authenticates in two ways at once.");
  }
  if (!form.get("client_assertion") || !form.get("client_assertion_type")) {
    return malformed("The parameters client_assertion and client_assertion_type come together.");
  }
  if (*form.get("client_assertion_type") != assertion_type) {
    return std::unexpected(errors::invalid_client.because("The client_assertion_type is not supported."));
  }
  ValidateAssertion shown{TokenText{parameter(form, "client_assertion")}, std::nullopt};
  if (form.get("client_id")) shown.named = ClientId{parameter(form, "client_id")};
  return shown;
}

Presented from_body(const wire::Form& form) {
  std::string id = parameter(form, "client_id");
  if (id.empty()) return std::unexpected(errors::invalid_client);
  if (!form.get("client_secret")) return ValidateClient{ClientId{std::move(id)}, ClientAuthMethod::none, {}};
  return ValidateClient{ClientId{std::move(id)}, ClientAuthMethod::client_secret_post,
                        ClientSecret{parameter(form, "client_secret")}};
}

}  // namespace

Presented presented_client(const web::Request& request, const wire::Form& form) {
  if (form.get("client_assertion") || form.get("client_assertion_type")) return from_assertion(request, form);
  if (!request.headers.has("authorization")) return from_body(form);
  if (request.headers.count("authorization") > 1) return malformed("The Authorization header comes twice.");
  if (form.get("client_secret")) return malformed("The client authenticates in two ways at once.");

  auto presented = from_basic(request.header("authorization"));
  if (!presented) return std::unexpected(presented.error());
  auto named = form.get("client_id");
  if (named && *named != presented->id.value()) return malformed("The client_id is not the one that authenticates.");
  return *std::move(presented);
}

Task<std::expected<ClientPtr, OauthError>> authenticate(ServicePtr service, Presented presented, Cause cause) {
  if (!presented) co_return std::unexpected(presented.error());
  ClientPtr proven;
  if (auto* assertion = std::get_if<ValidateAssertion>(&*presented)) {
    assertion->cause = std::move(cause);
    auto client = co_await service->clients.ask(std::move(*assertion));
    if (!client) co_return std::unexpected(told(client.error()));
    proven = std::move(*client);
  } else {
    auto& shown = std::get<ValidateClient>(*presented);
    shown.cause = std::move(cause);
    auto client = co_await service->clients.ask(std::move(shown));
    if (!client) co_return std::unexpected(told(client.error()));
    proven = std::move(*client);
  }
  const auto taken = service->rates.take(*proven, actor::Core::current()->now());
  if (!taken) co_return std::unexpected(taken.error());
  co_return proven;
}

}  // namespace troupe::oauth
