// See topic_scope.h.
#include "troupe/wire/topic_scope.h"

#include <algorithm>

namespace troupe::wire {

std::optional<TopicScope> parse_topic_scope(std::string_view scope) {
  constexpr std::string_view prefix = "topic:";
  auto colon = scope.rfind(':');
  if (!scope.starts_with(prefix) || colon < prefix.size()) return std::nullopt;
  auto action = scope.substr(colon + 1);
  if (action != "subscribe" && action != "publish") return std::nullopt;
  auto pattern = scope.substr(prefix.size(), colon - prefix.size());
  if (!base::TopicPattern::parse(pattern)) return std::nullopt;
  return TopicScope{pattern, action == "publish" ? TopicAction::publish : TopicAction::subscribe};
}

bool scope_covers(std::string_view given, std::string_view asked) {
  if (given == asked) return true;
  WideScopes one;
  one.add(given);
  return one.cover(asked);
}

void WideScopes::add(std::string_view given) {
  const bool may_be_wide = given.contains('*') || given.contains('>');  // a name covers itself alone
  const auto scope = may_be_wide ? parse_topic_scope(given) : std::nullopt;
  if (scope) patterns_.emplace_back(scope->action, *base::TopicPattern::parse(scope->pattern));
}

bool WideScopes::cover(std::string_view asked) const {
  if (patterns_.empty()) return false;
  const auto scope = parse_topic_scope(asked);
  if (!scope) return false;
  const auto inner = base::TopicPattern::parse(scope->pattern);
  return std::ranges::any_of(
      patterns_, [&](const auto& given) { return given.first == scope->action && given.second.contains(*inner); });
}

}  // namespace troupe::wire
