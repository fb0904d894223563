// Permissions: a list of grants, searched; a token has few.
#include "troupe/realtime/protocol/permission.h"

#include <algorithm>

namespace troupe::realtime {

std::optional<Grant> Grant::parse(std::string_view scope) {
  auto read = wire::parse_topic_scope(scope);
  if (!read) return std::nullopt;
  return Grant{TopicPattern::parse(read->pattern).value(), read->action};
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
