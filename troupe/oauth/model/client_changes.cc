// See client_changes.h.
#include "troupe/oauth/model/client_changes.h"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::oauth {
namespace {

using M = ClientMetadata;

struct Member {
  std::string_view name;
  bool (*differs)(const ClientMetadata& before, const ClientMetadata& after);
};

template <auto field>
bool differs(const ClientMetadata& before, const ClientMetadata& after) {
  return before.*field != after.*field;
}

/// Where the policy became stricter; where it did not, it is grave.
bool became_required(const ClientMetadata& before, const ClientMetadata& after) {
  return before.pkce != after.pkce && after.pkce == PkcePolicy::required;
}

constexpr Member members[] = {
    {"client_name", differs<&M::name>},
    {"redirect_uris", differs<&M::redirect_uris>},
    {"post_logout_redirect_uris", differs<&M::post_logout_redirect_uris>},
    {"grant_types", differs<&M::grant_types>},
    {"scope", differs<&M::scope>},
    {"token_endpoint_auth_method", differs<&M::auth_method>},
    {"token_endpoint_auth_signing_alg", differs<&M::auth_signing_alg>},
    {"jwks", differs<&M::jwks>},
    {"jwks_uri", differs<&M::jwks_uri>},
    {"backchannel_logout_uri", differs<&M::backchannel_logout_uri>},
    {"backchannel_logout_session_required", differs<&M::logout_requires_session>},
    {"require_pkce", became_required},
    {"access_token_format", differs<&M::access_token_format>},
    {"access_token_signed_response_alg", differs<&M::access_token_alg>},
    {"id_token_signed_response_alg", differs<&M::id_token_alg>},
    {"access_token_lifetime", differs<&M::access_token_ttl>},
    {"resources", differs<&M::resources>},
};

}  // namespace

std::string changes_between(const Client& before, const Client& after) {
  std::string changes;
  const auto add = [&](std::string_view name) {
    if (!changes.empty()) changes += ", ";
    changes += name;
  };
  if (before.state != after.state) add(after.state == ClientState::disabled ? "disabled" : "enabled");
  if (before.metadata.pkce != after.metadata.pkce && after.metadata.pkce == PkcePolicy::optional) add("pkce_optional");
  for (const Member& member : members)
    if (member.differs(before.metadata, after.metadata)) add(member.name);
  return changes;
}

bool is_same(const ClientMetadata& before, const ClientMetadata& after) {
  return before.pkce == after.pkce &&
         std::ranges::none_of(members, [&](const Member& member) { return member.differs(before, after); });
}

std::string_view gravity_of(const ClientMetadata& metadata) noexcept {
  return metadata.pkce == PkcePolicy::optional ? "pkce_optional" : "";
}

std::string by_itself(std::string_view what) {
  return what.empty() ? "by_itself" : fmt::format("by_itself ({})", what);
}

}  // namespace troupe::oauth
