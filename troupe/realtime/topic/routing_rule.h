// RoutingRule: what an operator wants to happen to publications of some topics, senders or
// sizes: refused, sent elsewhere, hastened, or shown only to those with a scope.
//
// The rules stand in RealtimeSettings, in their order; the first that matches decides, and
// where none does, nothing is changed. They are looked at where the publisher is, after
// its permission.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "troupe/realtime/protocol/command.h"
#include "troupe/realtime/protocol/identity.h"
#include "troupe/realtime/protocol/priority.h"

namespace troupe::realtime {

/// A scope that a receiver's token must have; none: everybody who is subscribed gets the message.
using TargetScope = std::shared_ptr<const std::string>;

struct RoutingRule {
  // Which publications; what is empty says nothing.
  TopicPattern topic;
  std::optional<UserId> sender;
  std::string sender_scope;
  std::optional<std::size_t> larger_than;  // bytes of the payload

  // What becomes of them.
  bool refuse = false;
  std::optional<TopicName> redirect;  // publish here instead; no rule looks at it again
  std::optional<Priority> priority;   // whatever the publisher says
  TargetScope target;

  bool matches(const Publish& publication, const Identity& sender_identity) const;
};

/// What is wrong with a rule as a whole, as words for the operator; nothing when it can work.
std::optional<std::string> fault_of(const RoutingRule& rule);

/// The rule that decides over a publication, or null.
const RoutingRule* find_rule(std::span<const RoutingRule> rules, const Publish& publication, const Identity& sender);

}  // namespace troupe::realtime
