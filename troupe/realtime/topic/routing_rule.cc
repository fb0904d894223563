// RoutingRule: conditions that must all hold, and combinations that make no sense.
#include "troupe/realtime/topic/routing_rule.h"

#include <algorithm>

namespace troupe::realtime {

bool RoutingRule::matches(const Publish& publication, const Identity& sender_identity) const {
  if (!topic.matches(publication.topic)) return false;
  if (sender && *sender != sender_identity.user) return false;
  if (!sender_scope.empty() && !sender_identity.has_scope(sender_scope)) return false;
  return !larger_than || publication.payload.bytes.size() > *larger_than;
}

std::optional<std::string> fault_of(const RoutingRule& rule) {
  bool changes = rule.redirect || rule.priority || rule.target;
  if (rule.refuse && changes) return "a rule that refuses can do nothing else";
  if (!rule.refuse && !changes) return "a rule needs one of refuse, redirect, priority and target";
  if (rule.topic.is_reserved()) return "topics of the server's own follow no rules";
  if (rule.redirect && rule.redirect->is_reserved()) return "nobody publishes to topics of the server's own";
  return std::nullopt;
}

const RoutingRule* find_rule(std::span<const RoutingRule> rules, const Publish& publication, const Identity& sender) {
  auto found = std::ranges::find_if(rules, [&](const RoutingRule& rule) { return rule.matches(publication, sender); });
  return found == rules.end() ? nullptr : &*found;
}

}  // namespace troupe::realtime
