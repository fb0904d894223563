// Permissions: which topics a connection may read and write, as its scopes say.
//
// A grant is a scope `topic:<pattern>:subscribe` or `topic:<pattern>:publish`; other scopes
// are none of ours. There are no denials: what lies inside one grant is allowed, and no
// message is ever filtered later. A grant that begins with a wildcard covers no reserved topic.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/realtime/protocol/topic_name.h"
#include "troupe/wire/topic_scope.h"

namespace troupe::realtime {

using wire::TopicAction;

struct Grant {
  TopicPattern pattern;
  TopicAction action;

  /// Reads one scope; nothing when it is no grant for a topic. The pattern itself may contain colons.
  static std::optional<Grant> parse(std::string_view scope);
};

/// Shared by all who have no others; null: none.
using Grants = std::shared_ptr<const std::vector<Grant>>;

class Permissions {
 public:
  Permissions() = default;
  /// The grants among `scopes`, and `defaults` besides.
  static Permissions from(std::span<const std::string> scopes, Grants defaults = {});

  /// Whether one grant covers the whole pattern.
  bool may_subscribe(const TopicPattern& pattern) const noexcept;
  /// Whether one grant covers the name.
  bool may_publish(const TopicName& name) const noexcept;

 private:
  Grants grants_;
};

}  // namespace troupe::realtime
