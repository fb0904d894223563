// RoutingRule: which publications it means, which rule decides, and rules that cannot work.
#include "troupe/realtime/topic/routing_rule.h"

#include <doctest/doctest.h>

#include <vector>

namespace troupe::realtime {
namespace {

TopicPattern pattern(std::string_view text) { return TopicPattern::parse(text).value(); }
TopicName name(std::string_view text) { return TopicName::parse(text).value(); }
TargetScope scope(std::string text) { return std::make_shared<const std::string>(std::move(text)); }
RoutingRule rule(std::string_view topic) { return {.topic = pattern(topic), .priority = Priority::high}; }

TEST_CASE("a rule matches when all of its conditions hold") {
  Publish publication{.topic = name("alerts.fire"), .payload = {PayloadKind::json, R"("12345678")"}};
  Identity ops{UserId{"olga"}, {"ops", "topic:>:publish"}, {}, {}};
  Identity other{UserId{"otto"}, {"opsx"}, {}, {}};
  struct Row {
    RoutingRule rule;
    bool ops;
    bool other;
  };
  auto with = [](auto change) {
    auto made = rule("alerts.>");
    change(made);
    return made;
  };
  const Row rows[] = {
      {rule("alerts.>"), true, true},
      {rule("alerts.*"), true, true},
      {rule("alerts"), false, false},
      {with([](RoutingRule& rule) { rule.sender_scope = "ops"; }), true, false},
      {with([](RoutingRule& rule) { rule.sender = UserId{"otto"}; }), false, true},
      {with([](RoutingRule& rule) { rule.larger_than = 9; }), true, true},
      {with([](RoutingRule& rule) { rule.larger_than = 10; }), false, false},
  };
  for (const auto& row : rows) {
    CHECK_EQ(row.rule.matches(publication, ops), row.ops);
    CHECK_EQ(row.rule.matches(publication, other), row.other);
  }
}

TEST_CASE("the first rule that matches decides") {
  std::vector<RoutingRule> rules{rule("chat.>"), rule("chat.loud")};
  rules[1].priority = Priority::low;
  CHECK_EQ(find_rule(rules, {.topic = name("chat.loud")}, {}), &rules[0]);
  CHECK_EQ(find_rule(rules, {.topic = name("news")}, {}), nullptr);
}

TEST_CASE("a rule that cannot work is told why") {
  CHECK_EQ(fault_of(rule("a")), std::nullopt);
  CHECK_EQ(fault_of({.topic = pattern("a"), .refuse = true}), std::nullopt);
  CHECK_EQ(fault_of({.topic = pattern("a"), .refuse = true, .target = scope("x")}),
           "a rule that refuses can do nothing else");
  CHECK_EQ(fault_of({.topic = pattern("a")}), "a rule needs one of refuse, redirect, priority and target");
  CHECK_EQ(fault_of(rule("system.x")), "topics of the server's own follow no rules");
  CHECK_EQ(fault_of({.topic = pattern("a"), .redirect = name("$user.b")}),
           "nobody publishes to topics of the server's own");
}

}  // namespace
}  // namespace troupe::realtime
