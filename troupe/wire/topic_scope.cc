// See topic_scope.h.
#include "troupe/wire/topic_scope.h"

#include "troupe/base/topic_name.h"

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
  auto outer = parse_topic_scope(given);
  auto inner = parse_topic_scope(asked);
  if (!outer || !inner || outer->action != inner->action) return false;
  return base::TopicPattern::parse(outer->pattern)->contains(*base::TopicPattern::parse(inner->pattern));
}

}  // namespace troupe::wire
