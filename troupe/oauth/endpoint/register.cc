// Registration: an application makes itself known, and manages what is known of it (RFC 7591 and 7592).
#include <fmt/format.h>

#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/bearer.h"
#include "troupe/oauth/endpoint/discovery.h"
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/endpoint/form.h"
#include "troupe/oauth/model/registration.h"
#include "troupe/wire/json.h"

namespace troupe::oauth {
namespace {

/// The token of the header; nothing where there is none, or something else.
std::optional<TokenText> token_of(const web::Request& http) { return bearer_of(http).value_or(std::nullopt); }

std::expected<wire::Json, OauthError> body_of(const web::Request& http) {
  if (!is_json(http))
    return std::unexpected(errors::invalid_request.because("The content type must be application/json."));
  auto body = wire::parse_json(http.body, {.bytes_max = 64 * 1024, .depth_max = 8});
  const OauthError& fault = errors::invalid_client_metadata;
  if (!body) return std::unexpected(fault.because(wire::sentence(body.error())));
  if (body->object() == nullptr) return std::unexpected(fault.because("The body must be a JSON object."));
  return *std::move(body);
}

/// All that is registered of the client (RFC 7591, 3.2.1), with what it needs to manage itself (RFC 7592, 3).
std::string registration_of(const Service& service, const Client& client, const RegistrationToken& token,
                            const std::optional<ClientSecret>& secret = {}) {
  std::string json;
  wire::JsonWriter writer{json};
  writer.begin_object()
      .member("client_id", client.id.value())
      .member("client_id_issued_at", client.created_at.seconds());
  if (secret) writer.member("client_secret", secret->expose());
  if (client.metadata.has_secret()) writer.member("client_secret_expires_at", std::int64_t{0});  // never
  writer
      .member("registration_client_uri",
              url_of(service.options, fmt::format("{}{}", registrations_path, client.id.value())))
      .member("registration_access_token", token.expose());
  write_metadata(writer, client.metadata);
  writer.member("subject_type", "public");  // the only one there is, so it stands in no record
  writer.end_object();
  return json;
}

/// Whether this request may register a client; what it is told otherwise.
Task<std::optional<web::Response>> refusal_of(ServicePtr service, web::Request http) {
  if (service->options.registration == Registration::open) co_return std::nullopt;
  if (service->options.registration == Registration::closed) {
    co_return refuse(errors::access_denied.because("Clients are registered by the operator alone."));
  }
  auto shown = token_of(http);
  if (!shown) co_return refuse_bearer(std::nullopt);
  auto claims = co_await service->tokens.ask(ValidateToken{*std::move(shown)});
  if (!claims) co_return refuse_bearer(told(claims.error()));
  if (!claims->is_for(service->options.issuer)) co_return refuse_bearer(errors::invalid_token);
  if (!claims->scope.contains("register")) co_return refuse_bearer(errors::insufficient_scope, "register");
  co_return std::nullopt;
}

/// A registration and who manages it, as the path and the header name them.
struct Managed {
  ClientId id;
  RegistrationToken token;
};

std::optional<Managed> managed_by(const web::Request& http) {
  auto token = token_of(http);
  if (!token || !http.path.starts_with(registrations_path)) return std::nullopt;
  return Managed{ClientId{http.path.substr(registrations_path.size())}, RegistrationToken{token->expose()}};
}

/// The members that the server gives are not the client's to change; the id must be its own (RFC 7592, section 2.2).
std::optional<OauthError> fault_in_update(const wire::Json& body, const ClientId& id) {
  for (const char* name :
       {"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"}) {
    if (body.find(name) != nullptr) {
      return errors::invalid_client_metadata.because("What the server gives cannot be changed.");
    }
  }
  const std::string* named = body.string_at("client_id");
  if (named == nullptr || *named != id.value()) {
    return errors::invalid_client_metadata.because("The client_id must be that of the client.");
  }
  return std::nullopt;
}

/// The secret that a client repeats, as it may (RFC 7592, section 2.2); "": what is no text is no secret of it.
std::optional<ClientSecret> repeated_secret(const wire::Json& body) {
  if (body.find("client_secret") == nullptr) return std::nullopt;
  const std::string* text = body.string_at("client_secret");
  return ClientSecret{text == nullptr ? "" : *text};
}

Task<web::Response> enrol(ServicePtr service, web::Request http) {
  auto refusal = co_await refusal_of(service, http);  // 1. may this request
  if (refusal) co_return *std::move(refusal);

  auto body = body_of(http);  // 2. what it says of the client
  if (!body) co_return refuse(body.error());
  auto metadata = read_registration(*body, service->options);
  if (!metadata) co_return refuse(metadata.error());

  auto made = co_await service->clients.ask(  // 3. its record
      RegisterClient{*std::move(metadata), RegisterClient::Managed::by_itself, cause_of(http)});
  if (!made) co_return refuse(told(made.error()));
  co_return never_cached(
      web::json_response(201, registration_of(*service, *made->client, *made->registration, made->secret)));
}

Task<web::Response> show(ServicePtr service, web::Request http) {
  auto managed = managed_by(http);
  if (!managed) co_return refuse_bearer(std::nullopt);
  auto client = co_await service->clients.ask(GetRegistration{managed->id, managed->token});
  if (!client) co_return refuse_bearer(told(client.error()));
  co_return answer_json(registration_of(*service, **client, managed->token));
}

Task<web::Response> update(ServicePtr service, web::Request http) {
  auto managed = managed_by(http);  // 1. whose it is: nobody else is told what is wrong with it (RFC 7592, section 2)
  if (!managed) co_return refuse_bearer(std::nullopt);
  auto known = co_await service->clients.ask(GetRegistration{managed->id, managed->token});
  if (!known) co_return refuse_bearer(told(known.error()));

  auto body = body_of(http);  // 2. what it says of the client
  if (!body) co_return refuse(body.error());
  if (const auto fault = fault_in_update(*body, managed->id)) co_return refuse(*fault);
  auto metadata = read_registration(*body, service->options, &(*known)->metadata);
  if (!metadata) co_return refuse(metadata.error());

  // 3. its record, if the token is good still
  auto updated = co_await service->clients.ask(UpdateRegistration{
      managed->id, std::move(managed->token), *std::move(metadata), repeated_secret(*body), cause_of(http)});
  if (!updated) {
    const OauthError error = told(updated.error());
    co_return error == errors::invalid_token ? refuse_bearer(error) : refuse(error);
  }
  co_return answer_json(registration_of(*service, *updated->client, *updated->registration));
}

Task<web::Response> remove(ServicePtr service, web::Request http) {
  auto managed = managed_by(http);
  if (!managed) co_return refuse_bearer(std::nullopt);
  auto deleted =
      co_await service->clients.ask(DeleteRegistration{managed->id, std::move(managed->token), cause_of(http)});
  if (!deleted) co_return refuse_bearer(told(deleted.error()));
  co_return never_cached({.status = 204});
}

/// The name of the error that a refusal tells.
std::string reason_of(const web::Response& refusal) {
  if (refusal.body.view().empty()) return "no_token";
  const auto json = wire::parse_json(refusal.body.view(), {.bytes_max = 4096, .depth_max = 2});
  const std::string* error = json ? json->string_at("error") : nullptr;
  return error != nullptr ? *error : "refused";
}

/// Answers by `inner`, and has refusals noted in the audit trail.
Task<web::Response> noted(ServicePtr service, web::Request http,
                          Task<web::Response> (*inner)(ServicePtr, web::Request)) {
  RegistrationRefused refusal{.id = std::nullopt, .reason = "", .cause = cause_of(http)};
  if (http.path.starts_with(registrations_path)) refusal.id = ClientId{http.path.substr(registrations_path.size())};
  auto response = co_await inner(service, std::move(http));
  if (response.status >= 400 && response.status < 500) {
    refusal.reason = reason_of(response);
    service->clients.tell(std::move(refusal));
  }
  co_return response;
}

}  // namespace

Task<web::Response> register_client(ServicePtr service, web::Request http) {
  return noted(std::move(service), std::move(http), enrol);
}

Task<web::Response> show_registration(ServicePtr service, web::Request http) {
  return noted(std::move(service), std::move(http), show);
}

Task<web::Response> update_registration(ServicePtr service, web::Request http) {
  return noted(std::move(service), std::move(http), update);
}

Task<web::Response> delete_registration(ServicePtr service, web::Request http) {
  return noted(std::move(service), std::move(http), remove);
}

}  // namespace troupe::oauth
