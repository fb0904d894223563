// Topic scopes: `topic:<pattern>:subscribe` and `topic:<pattern>:publish`, the scopes by which a
// token says what its holder may do in live delivery. Here is how they are read, and which of
// two is the narrower one.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/base/topic_name.h"

namespace troupe::wire {

enum class TopicAction : std::uint8_t { subscribe, publish };

struct TopicScope {
  std::string_view pattern;  // valid; a part of the text that was read
  TopicAction action = TopicAction::subscribe;
};

/// Reads one scope; nothing when it does not speak of a topic. The pattern itself may contain colons.
std::optional<TopicScope> parse_topic_scope(std::string_view scope);

/// Whether who was given the scope `given` may ask for `asked`: the same word, or the same action on topics that
/// all lie inside the pattern given. Scopes that speak of no topic are words and no more.
bool scope_covers(std::string_view given, std::string_view asked);

/// The scopes among several that cover more than themselves, read once to be asked about many.
class WideScopes {
 public:
  /// Takes the scope in, where it is such a one.
  void add(std::string_view given);
  /// Whether one of them covers `asked`, as scope_covers has it.
  bool cover(std::string_view asked) const;

 private:
  std::vector<std::pair<TopicAction, base::TopicPattern>> patterns_;
};

}  // namespace troupe::wire
