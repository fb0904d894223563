// Permissions: a list of grants, searched; a token has few.
#include "troupe/realtime/protocol/permission.h"

#include <algorithm>

namespace troupe::realtime {

std::optional<Grant> Grant::parse(std::string_view scope) {
  constexpr std::string_view prefix = "topic:";
  auto colon = scope.rfind(':');
  if (!scope.starts_with(prefix) || colon < prefix.size()) return std::nullopt;
  auto action = scope.substr(colon + 1);
  if (action != "subscribe" && action != "publish") return std::nullopt;
  auto pattern = TopicPattern::parse(scope.substr(prefix.size(), colon - prefix.size()));
  if (!pattern) return std::nullopt;
  return Grant{*std::move(pattern), action == "publish" ? TopicAction::publish : TopicAction::subscribe};
}

Permissions Permissions::from(std::span<const std::string> scopes, std::span<const Grant> defaults) {
  Permissions permissions;
  permissions.grants_.assign(defaults.begin(), defaults.end());
  for (const auto& scope : scopes) {
    if (auto grant = Grant::parse(scope)) permissions.grants_.push_back(*std::move(grant));
  }
  return permissions;
}

bool Permissions::allows(TopicAction action, const TopicPattern& pattern) const noexcept {
  return std::ranges::any_of(
      grants_, [&](const Grant& grant) { return grant.action == action && grant.pattern.contains(pattern); });
}

}  // namespace troupe::realtime
