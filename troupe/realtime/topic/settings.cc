// RealtimeSettings: finding a namespace, and the grants of all of them in one list.
#include "troupe/realtime/topic/settings.h"

namespace troupe::realtime {

RealtimeSettings::RealtimeSettings(NamespaceOptions defaults, Namespaces namespaces, Anonymous anonymous,
                                   std::vector<RoutingRule> rules)
    : defaults_(std::move(defaults)),
      namespaces_(std::move(namespaces)),
      anonymous_(anonymous),
      rules_(std::move(rules)) {
  auto add = [](std::vector<Grant>& to, const std::vector<Grant>& grants) {
    to.insert(to.end(), grants.begin(), grants.end());
  };
  auto grants = defaults_.default_grants;
  for (const auto& [name, options] : namespaces_) add(grants, options.default_grants);
  default_grants_ = std::make_shared<const std::vector<Grant>>(grants);
  add(grants, defaults_.anonymous_grants);
  for (const auto& [name, options] : namespaces_) add(grants, options.anonymous_grants);
  anonymous_grants_ = std::make_shared<const std::vector<Grant>>(std::move(grants));
}

const NamespaceOptions& RealtimeSettings::of(std::string_view topic) const noexcept {
  if (namespaces_.empty()) return defaults_;
  auto found = namespaces_.find(take_segment(topic));
  return found == namespaces_.end() ? defaults_ : found->second;
}

}  // namespace troupe::realtime
