// Routing rules of the configuration: [[realtime.rule]], one table a rule, in the order in
// which they are looked at. A key's name bears the number of its rule: "realtime.rule.1.topic".
//
// The rows stand in rule.cc; rule_of() makes of the texts what realtime/topic works by. All of them are live.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/app/config/key.h"
#include "troupe/realtime/topic/routing_rule.h"

namespace troupe::app {

inline constexpr std::string_view rule_prefix = "realtime.rule.";
inline constexpr std::size_t rules_max = 1000;  // each publication may look at all of them

/// "realtime.rule.2.target.scope" in its parts.
struct RuleKeyName {
  std::size_t number;  // from 1
  std::string key;     // "target.scope"
};
/// Nothing when the name does not begin with rule_prefix and a number up to rules_max.
std::optional<RuleKeyName> split_rule_key(std::string_view name);
/// "realtime.rule.2.topic"
std::string name_of(const RuleKeyName& name);

/// A mistake in a rule: the key that it concerns ("": the rule as a whole), and what is wrong.
struct RuleFault {
  std::string key;
  Complaint complaint;
};
std::expected<realtime::RoutingRule, RuleFault> rule_of(const RuleConfig& config);

}  // namespace troupe::app
