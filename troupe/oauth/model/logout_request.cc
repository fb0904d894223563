// See logout_request.h.
#include "troupe/oauth/model/logout_request.h"

#include <algorithm>

#include "troupe/crypto/jwt.h"
#include "troupe/wire/json.h"

namespace troupe::oauth {
namespace {

constexpr std::size_t state_bytes_max = 2048;
constexpr std::size_t logout_hint_bytes_max = 256;
constexpr std::size_t ui_locales_bytes_max = 256;

std::string value_of(const wire::Form& parameters, std::string_view name) {
  return std::string{parameters.get(name).value_or("")};
}

}  // namespace

std::expected<LogoutRequest, OauthError> read_logout_request(const wire::Form& parameters) {
  if (parameters.duplicate()) return std::unexpected(errors::invalid_request.because("A parameter comes twice."));
  LogoutRequest request{.id_token_hint = value_of(parameters, "id_token_hint"),
                        .client_id = value_of(parameters, "client_id"),
                        .post_logout_redirect_uri = value_of(parameters, "post_logout_redirect_uri"),
                        .state = value_of(parameters, "state"),
                        .ui_locales = value_of(parameters, "ui_locales")};
  if (request.state.size() > state_bytes_max)
    return std::unexpected(errors::invalid_request.because("The state is longer than 2048 bytes."));
  if (value_of(parameters, "logout_hint").size() > logout_hint_bytes_max)
    return std::unexpected(errors::invalid_request.because("The logout_hint is longer than 256 bytes."));
  if (request.ui_locales.size() > ui_locales_bytes_max)
    return std::unexpected(errors::invalid_request.because("The ui_locales are longer than 256 bytes."));
  return request;
}

wire::Form parameters_of(const LogoutRequest& request) {
  wire::Form form;
  const auto add = [&](std::string name, const std::string& value) {
    if (!value.empty()) form.add(std::move(name), value);
  };
  add("id_token_hint", request.id_token_hint);
  add("client_id", request.client_id);
  add("post_logout_redirect_uri", request.post_logout_redirect_uri);
  add("state", request.state);
  add("ui_locales", request.ui_locales);
  return form;
}

std::optional<LogoutHint> read_logout_hint(const std::string& id_token, const KeySet& keys, const std::string& issuer) {
  for (const crypto::PublicKey& key : keys.verifying) {
    crypto::Verifier verifier{key};
    const auto jwt = crypto::verify_jwt(verifier, id_token, {});
    if (!jwt) continue;
    const auto claims = wire::parse_json(jwt->claims);
    if (!claims) return std::nullopt;
    const std::string* iss = claims->string_at("iss");
    const std::string* aud = claims->string_at("aud");
    const std::string* sid = claims->string_at("sid");
    if (!iss || *iss != issuer || !aud || !sid) return std::nullopt;
    return LogoutHint{ClientId{*aud}, SessionId{*sid}};
  }
  return std::nullopt;
}

LogoutParty logout_party(const LogoutRequest& request, const std::optional<LogoutHint>& hint) {
  if (!hint && !request.id_token_hint.empty()) return {};
  if (!hint && request.client_id.empty()) return {};
  if (!hint) return {.client = ClientId{request.client_id}, .session = std::nullopt};
  if (!request.client_id.empty() && request.client_id != hint->client.value()) return {};
  return {.client = hint->client, .session = hint->session};
}

std::optional<std::string> way_back(const LogoutRequest& request, const ClientPtr& client) {
  const std::string& address = request.post_logout_redirect_uri;
  if (address.empty() || !client || client->state == ClientState::disabled) return std::nullopt;
  if (std::ranges::count(client->metadata.post_logout_redirect_uris, address) == 0) return std::nullopt;
  wire::Form back;
  if (!request.state.empty()) back.add("state", request.state);
  return wire::add_query(address, back);
}

}  // namespace troupe::oauth
