// See auth_request.h.
#include "troupe/oauth/model/auth_request.h"

#include <algorithm>
#include <charconv>

#include "troupe/oauth/model/claims_request.h"
#include "troupe/oauth/model/pkce.h"
#include "troupe/oauth/model/redirect_uri.h"

namespace troupe::oauth {
namespace {

constexpr std::size_t state_bytes_max = 2048;
constexpr std::size_t nonce_bytes_max = 512;
constexpr std::size_t login_hint_bytes_max = 256;
constexpr std::size_t acr_values_bytes_max = 512;

constexpr std::string_view unknown_address = "The client or its redirect URI is not registered.";
constexpr std::string_view wider_scope = "The scope exceeds what the client may ask for.";

using Checked = std::expected<void, OauthError>;

std::unexpected<OauthError> refuse(const OauthError& error) { return std::unexpected(error); }
std::unexpected<OauthError> invalid(std::string_view why) { return refuse(errors::invalid_request.because(why)); }

/// The value of a parameter, "" when it is absent or empty: both mean the same (RFC 6749, section 3.1).
std::string value_of(const wire::Form& parameters, std::string_view name) {
  return std::string{parameters.get(name).value_or("")};
}

/// Before anything may be sent to the redirect URI: it and the client must belong together.
Checked check_address(const wire::Form& parameters, AuthRequest& request) {
  if (parameters.count("client_id") != 1 || value_of(parameters, "client_id").empty()) {
    return invalid("The parameter client_id must come exactly once.");
  }
  if (parameters.count("redirect_uri") > 1) return invalid("The parameter redirect_uri must not come twice.");
  const ClientPtr& client = request.client;
  if (!client || client->state != ClientState::enabled) return invalid(unknown_address);

  request.redirect_uri = value_of(parameters, "redirect_uri");
  request.redirect_uri_was_sent = !request.redirect_uri.empty();
  const auto& registered = client->metadata.redirect_uris;
  if (request.redirect_uri_was_sent) {
    if (!is_registered(registered, request.redirect_uri)) return invalid(unknown_address);
    return {};
  }
  auto scope = ScopeSet::parse(value_of(parameters, "scope"));
  if (registered.size() != 1 || (scope && scope->contains("openid"))) {
    return invalid("The parameter redirect_uri is missing.");
  }
  request.redirect_uri = registered.front();
  return {};
}

/// The state goes back with every answer, also with a refusal, unless there is doubt which one.
void read_state(const wire::Form& parameters, AuthRequest& request) {
  std::string state = value_of(parameters, "state");
  if (parameters.count("state") == 1 && state.size() <= state_bytes_max) request.state = std::move(state);
}

/// So does the way of the answer: a mode that is none is refused in the query.
void read_way(const wire::Form& parameters, AuthRequest& request) {
  if (parameters.count("response_mode") == 1 && value_of(parameters, "response_mode") == "form_post") {
    request.way.mode = ResponseMode::form_post;
  }
  request.way.language = language_of_locales(value_of(parameters, "ui_locales")).value_or(Language::english);
}

bool is_repeated(const wire::Form& parameters) {
  return std::ranges::any_of(parameters, [&](const auto& parameter) {
    return parameter.name != "resource" && parameters.count(parameter.name) > 1;  // RFC 8707 lets it come again
  });
}

Checked check_form(const wire::Form& parameters, const AuthRequest& request) {
  if (is_repeated(parameters)) return invalid("A parameter comes twice.");
  if (value_of(parameters, "state").size() > state_bytes_max) return invalid("The state is longer than 2048 bytes.");
  std::string response_type = value_of(parameters, "response_type");
  if (response_type.empty()) return invalid("The parameter response_type is missing.");
  if (response_type != "code") return refuse(errors::unsupported_response_type);
  if (!request.client->may_use(GrantType::authorization_code)) return refuse(errors::unauthorized_client);
  std::string mode = value_of(parameters, "response_mode");
  if (!mode.empty() && mode != "query" && mode != "form_post") return invalid("The response_mode is not supported.");
  if (!value_of(parameters, "request").empty()) return refuse(errors::request_not_supported);
  if (!value_of(parameters, "request_uri").empty()) return refuse(errors::request_uri_not_supported);
  if (!value_of(parameters, "registration").empty()) return refuse(errors::registration_not_supported);
  return {};
}

Checked check_pkce(const wire::Form& parameters, AuthRequest& request) {
  request.code_challenge = value_of(parameters, "code_challenge");
  std::string method = value_of(parameters, "code_challenge_method");
  if (request.code_challenge.empty()) {
    if (!method.empty()) return invalid("A code_challenge_method came without a code_challenge.");
    bool is_required = request.client->is_public() || request.client->metadata.pkce == PkcePolicy::required;
    if (is_required) return invalid("The parameter code_challenge is missing: PKCE with S256 is required.");
    return {};
  }
  if (method != "S256") return invalid("The code_challenge_method must be S256.");
  if (!is_pkce_challenge(request.code_challenge)) return invalid("The code_challenge is not a base64url SHA-256.");
  return {};
}

Checked check_scope(const wire::Form& parameters, AuthRequest& request) {
  auto scope = ScopeSet::parse(value_of(parameters, "scope"));
  if (!scope) return refuse(errors::invalid_scope.because("The scope is malformed."));
  if (scope->empty()) return refuse(errors::invalid_scope.because("The parameter scope is missing."));
  if (!scope->is_within(request.client->metadata.scope)) {
    return refuse(errors::invalid_scope.because(wider_scope));
  }
  request.scope = std::move(*scope);
  return {};
}

Checked check_resources(const wire::Form& parameters, AuthRequest& request, const OauthOptions& options) {
  std::vector<std::string> named;
  for (const auto& [name, value] : parameters) {
    if (name == "resource" && !value.empty()) named.push_back(value);
  }
  auto audience = audience_of(named, options);
  if (!audience) return refuse(audience.error());
  request.audience = std::move(*audience);
  return {};
}

Checked check_prompt(const wire::Form& parameters, AuthRequest& request) {
  auto words = ScopeSet::parse(value_of(parameters, "prompt"));  // the same grammar: words between spaces
  if (!words) return invalid("The prompt is malformed.");
  bool login = false;
  bool consent = false;
  for (const std::string& word : *words) {
    if (word == "none") {
      if (words->text() != "none") return invalid("The prompt none cannot be combined.");
      request.prompt = Prompt::none;
      return {};
    }
    login = login || word == "login" || word == "select_account";  // to select is to sign in as somebody
    consent = consent || word == "consent";
    if (word != "login" && word != "select_account" && word != "consent") return invalid("The prompt is not known.");
  }
  if (login) request.prompt = consent ? Prompt::login_and_consent : Prompt::login;
  if (consent && !login) request.prompt = Prompt::consent;
  return {};
}

Checked check_openid(const wire::Form& parameters, AuthRequest& request) {
  request.nonce = value_of(parameters, "nonce");
  if (request.nonce.size() > nonce_bytes_max) return invalid("The nonce is longer than 512 bytes.");
  request.login_hint = value_of(parameters, "login_hint");
  if (request.login_hint.size() > login_hint_bytes_max) return invalid("The login_hint is longer than 256 bytes.");
  std::string max_age = value_of(parameters, "max_age");
  if (max_age.empty()) return {};
  std::uint32_t seconds = 0;
  auto [end, error] = std::from_chars(max_age.data(), max_age.data() + max_age.size(), seconds);
  if (error != std::errc{} || end != max_age.data() + max_age.size()) return invalid("The max_age is no number.");
  request.max_age = std::chrono::seconds{seconds};
  return {};
}

/// The claims that are asked for, as far as the client may know them at all. One that cannot be had is no error, but an
/// essential way to sign in that there is not (Core, section 5.5.1.1). `acr_values` are wishes.
Checked check_claims(const wire::Form& parameters, AuthRequest& request) {
  if (value_of(parameters, "acr_values").size() > acr_values_bytes_max) {
    return invalid("The acr_values are longer than 512 bytes.");
  }
  auto claims = read_claims_request(value_of(parameters, "claims"));
  if (!claims) return refuse(claims.error());
  if (!request.scope.contains("openid")) return {};
  if (claims->is_acr_unmet) return refuse(errors::unmet_authentication_requirements);
  for (const std::string& each : claims->scopes) {
    if (request.client->metadata.scope.contains(each)) {
      request.scope = request.scope.united_with(ScopeSet::parse(each).value());
    }
  }
  request.subject = std::move(claims->subject);
  request.id_token_claims = std::move(claims->id_token);
  return {};
}

/// Everything after the address, in the order in which errors are reported.
Checked check_rest(const wire::Form& parameters, AuthRequest& request, const OauthOptions& options) {
  Checked checked = check_form(parameters, request);
  if (checked) checked = check_pkce(parameters, request);
  if (checked) checked = check_scope(parameters, request);
  if (checked) checked = check_resources(parameters, request, options);
  if (checked) checked = check_prompt(parameters, request);
  if (checked) checked = check_openid(parameters, request);
  if (checked) checked = check_claims(parameters, request);
  return checked;
}

}  // namespace

std::expected<std::vector<std::string>, OauthError> audience_of(std::span<const std::string> resources,
                                                                const OauthOptions& options) {
  if (resources.empty()) return std::vector<std::string>{options.issuer};
  std::vector<std::string> audience;
  for (const std::string& resource : resources) {
    bool is_known =
        resource == options.issuer || std::ranges::find(options.resources, resource) != options.resources.end();
    if (!is_known) return std::unexpected(errors::invalid_target);
    audience.push_back(resource);
  }
  std::ranges::sort(audience);
  auto doubles = std::ranges::unique(audience);
  audience.erase(doubles.begin(), doubles.end());
  return audience;
}

std::size_t bytes_of(const AuthRequest& request) noexcept {
  std::size_t bytes = request.redirect_uri.size() + request.state.size() + request.nonce.size() +
                      request.code_challenge.size() + request.login_hint.size() + request.id_token_claims.size();
  for (const std::string& word : request.scope) bytes += sizeof word + word.size();
  for (const std::string& resource : request.audience) bytes += sizeof resource + resource.size();
  return bytes;
}

AuthRefusal refusal_of(const AuthRequest& request, const OauthError& error) {
  return {error, request.redirect_uri, request.state, request.way};
}

std::optional<OauthError> fault_in_address(const std::optional<Client>& client, const std::string& redirect_uri) {
  const bool is_known = client && client->state == ClientState::enabled;
  if (is_known && is_registered(client->metadata.redirect_uris, redirect_uri)) return std::nullopt;
  return errors::invalid_request.because(unknown_address);
}

std::optional<AuthRefusal> fault_since(const AuthRequest& request, const ScopeSet& scope,
                                       const std::optional<Client>& client) {
  if (const auto address = fault_in_address(client, request.redirect_uri)) return AuthRefusal{.error = *address};
  if (!client->may_use(GrantType::authorization_code)) return refusal_of(request, errors::unauthorized_client);
  if (!scope.is_within(client->metadata.scope)) return refusal_of(request, errors::invalid_scope.because(wider_scope));
  return std::nullopt;
}

std::expected<AuthRequest, AuthRefusal> check_auth_request(const wire::Form& parameters, ClientPtr client,
                                                           const OauthOptions& options) {
  AuthRequest request{.client = std::move(client)};
  if (auto address = check_address(parameters, request); !address) {
    return std::unexpected(AuthRefusal{.error = address.error()});
  }
  read_state(parameters, request);
  read_way(parameters, request);
  if (auto checked = check_rest(parameters, request, options); !checked) {
    return std::unexpected(refusal_of(request, checked.error()));
  }
  return request;
}

}  // namespace troupe::oauth
