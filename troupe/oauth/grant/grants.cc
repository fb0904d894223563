// See grants.h.
#include "troupe/oauth/grant/grants.h"

#include <algorithm>
#include <array>

namespace troupe::oauth {
namespace {

constexpr std::array handlers = {
    GrantHandler{GrantType::authorization_code, redeem_authorization_code},
    GrantHandler{GrantType::refresh_token, redeem_refresh_token},
    GrantHandler{GrantType::client_credentials, redeem_client_credentials},
};

}  // namespace

std::span<const GrantHandler> all_grants() noexcept { return handlers; }

const GrantHandler* find_grant(std::string_view name) noexcept {
  auto handler =
      std::ranges::find(handlers, grant_type_named(name), [](const auto& h) { return std::optional{h.type}; });
  return handler == handlers.end() ? nullptr : handler;
}

std::unexpected<OauthError> note_refused(const Service& service, const Client& client, std::string_view reason,
                                         const OauthError& error, Cause cause) {
  service.clients.tell(RefusedGrant{client.id, reason, std::move(cause)});
  return std::unexpected(error);
}

}  // namespace troupe::oauth
