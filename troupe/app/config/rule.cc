// The rows of a routing rule, and what its texts stand for.
#include "troupe/app/config/rule.h"

#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "troupe/app/config/row.h"

namespace troupe::app {
namespace {

constexpr std::size_t MiB = 1024 * 1024;

// The place of a value, for add().
#define AT(member) [](RuleConfig& config) -> auto& { return config.member; }

std::vector<RuleKey> all_keys() {
  using namespace codec;
  std::vector<RuleKey> all;
  auto add = [&]<class T>(std::string_view name, std::string_view help, const Codec<T>& codec,
                          PlaceOf<RuleConfig, T> place) { all.push_back(row(name, help, codec, place, Reload::live)); };
  add("topic", "Publications to which topics; if there is none, to all.", text("topic or pattern"), AT(topic));
  add("sender", "Only those of this user.", text("user"), AT(sender));
  add("sender_scope", "Only those of senders whose token has this scope.", text("scope"), AT(sender_scope));
  add("larger_than", "Only those whose payload is larger.", bytes(0, 64 * MiB), AT(larger_than));
  add("refuse", "They are refused with `forbidden`.", truth(), AT(refuse));
  add("redirect", "They are published to this topic instead, which the `ack` names.", text("topic"), AT(redirect));
  add("priority", "They have this priority, whatever their sender says.", text("low, normal or high"), AT(priority));
  add("target.scope", "Only receivers whose token has this scope get them; for others they are a gap, `filtered`.",
      text("scope"), AT(target_scope));
  return all;
}

#undef AT

}  // namespace

std::span<const RuleKey> rule_keys() {
  static const std::vector<RuleKey> all = all_keys();
  return all;
}

std::optional<RuleKeyName> split_rule_key(std::string_view name) {
  if (!name.starts_with(rule_prefix)) return std::nullopt;
  name.remove_prefix(rule_prefix.size());
  const auto dot = name.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + dot, number);
  if (error != std::errc{} || end != name.data() + dot || number == 0 || number > rules_max) return std::nullopt;
  return RuleKeyName{number, std::string{name.substr(dot + 1)}};
}

std::string name_of(const RuleKeyName& name) { return fmt::format("{}{}.{}", rule_prefix, name.number, name.key); }

std::expected<realtime::RoutingRule, RuleFault> rule_of(const RuleConfig& config) {
  const auto topic = realtime::TopicPattern::parse(config.topic);
  if (!topic) return std::unexpected(RuleFault{"topic", "is neither a topic nor a pattern"});
  realtime::RoutingRule rule{.topic = *topic, .sender_scope = config.sender_scope, .refuse = config.refuse};
  if (!config.sender.empty()) rule.sender = realtime::UserId{config.sender};
  if (config.larger_than > 0) rule.larger_than = config.larger_than;
  if (!config.redirect.empty()) {
    const auto redirect = realtime::TopicName::parse(config.redirect);
    if (!redirect) return std::unexpected(RuleFault{"redirect", "is no topic"});
    rule.redirect = *redirect;
  }
  if (!config.priority.empty()) {
    rule.priority = realtime::priority_of(config.priority);
    if (!rule.priority) return std::unexpected(RuleFault{"priority", "wants low, normal or high"});
  }
  if (!config.target_scope.empty()) rule.target = std::make_shared<const std::string>(config.target_scope);
  if (auto fault = realtime::fault_of(rule)) return std::unexpected(RuleFault{"", "cannot work: " + *fault});
  return rule;
}

}  // namespace troupe::app
