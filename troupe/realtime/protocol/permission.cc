// Permissions: a list of grants, searched; a token has few.
#include "troupe/realtime/protocol/permission.h"

#include <algorithm>

namespace troupe::realtime {

std::optional<Grant> Grant::parse(std::string_view scope) {
  auto read = wire::parse_topic_scope(scope);
  if (!read) return std::nullopt;
  return Grant{TopicPattern::parse(read->pattern).value(), read->action};
}

Permissions Permissions::from(std::span<const std::string> scopes, Grants defaults) {
  std::vector<Grant> own;
  for (const auto& scope : scopes) {
    if (auto grant = Grant::parse(scope)) own.push_back(*std::move(grant));
  }
  Permissions permissions;
  permissions.grants_ = std::move(defaults);
  if (own.empty()) return permissions;
  if (permissions.grants_) own.insert(own.begin(), permissions.grants_->begin(), permissions.grants_->end());
  own.shrink_to_fit();
  permissions.grants_ = std::make_shared<const std::vector<Grant>>(std::move(own));
  return permissions;
}

bool Permissions::may_subscribe(const TopicPattern& pattern) const noexcept {
  return grants_ && std::ranges::any_of(*grants_, [&](const Grant& grant) {
           return grant.action == TopicAction::subscribe && grant.pattern.contains(pattern);
         });
}

bool Permissions::may_publish(const TopicName& name) const noexcept {
  return grants_ && std::ranges::any_of(*grants_, [&](const Grant& grant) {
           return grant.action == TopicAction::publish && grant.pattern.matches(name);
         });
}

}  // namespace troupe::realtime
