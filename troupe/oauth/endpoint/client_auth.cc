// See client_auth.h.
#include "troupe/oauth/endpoint/client_auth.h"

#include <string>

#include "troupe/oauth/endpoint/form.h"
#include "troupe/wire/ascii.h"
#include "troupe/wire/base64.h"

namespace troupe::oauth {
namespace {

using Presented = std::expected<ValidateClient, OauthError>;

std::unexpected<OauthError> malformed(std::string_view why) {
  return std::unexpected(errors::invalid_request.because(why));
}

/// `Basic base64(form-encoded id ":" form-encoded secret)`. The encoding is what lets a colon into either.
Presented from_basic(std::string_view header) {
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

Presented from_body(const wire::Form& form) {
  std::string id = parameter(form, "client_id");
  if (id.empty()) return std::unexpected(errors::invalid_client);
  if (!form.get("client_secret")) return ValidateClient{ClientId{std::move(id)}, ClientAuthMethod::none, {}};
  return ValidateClient{ClientId{std::move(id)}, ClientAuthMethod::client_secret_post,
                        ClientSecret{parameter(form, "client_secret")}};
}

}  // namespace

Credentials credentials_of(const web::Request& request) {
  return request.headers.has("authorization") ? Credentials::in_header : Credentials::elsewhere;
}

Presented presented_client(const web::Request& request, const wire::Form& form) {
  if (form.get("client_assertion") || form.get("client_assertion_type")) {
    return std::unexpected(errors::invalid_client.because("Client assertions are not supported."));
  }
  if (!request.headers.has("authorization")) return from_body(form);
  if (request.headers.count("authorization") > 1) return malformed("The Authorization header comes twice.");
  if (form.get("client_secret")) return malformed("The client authenticates in two ways at once.");

  auto presented = from_basic(request.header("authorization"));
  if (!presented) return presented;
  auto named = form.get("client_id");
  if (named && *named != presented->id.value()) return malformed("The client_id is not the one that authenticates.");
  return presented;
}

Task<std::expected<ClientPtr, OauthError>> authenticate(ServicePtr service, web::Request request, wire::Form form) {
  auto presented = presented_client(request, form);
  if (!presented) co_return std::unexpected(presented.error());
  presented->cause = cause_of(request);
  auto client = co_await service->clients.ask(std::move(*presented));
  if (!client) co_return std::unexpected(told(client.error()));
  co_return std::move(*client);
}

}  // namespace troupe::oauth
