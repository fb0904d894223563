// Routing rules of the configuration: what a table becomes, and how a mistake in one is told.
#include "troupe/app/config/rule.h"

#include <doctest/doctest.h>

#include <fstream>

#include "troupe/app/config/load.h"
#include "troupe/app/config/reload.h"
#include "troupe/base/testing/temporary_folder.h"

using namespace troupe;
using namespace troupe::app;

namespace {

/// The configuration of a file, or its first problem.
std::expected<Config, std::string> load(const std::string& text) {
  const troupe::base::TemporaryFolder folder;
  const std::string path = folder.path() / "F";
  std::ofstream{path} << text;
  auto loaded = load_config({.file = path});
  if (loaded) return *std::move(loaded);
  return std::unexpected(loaded.error().front().text().substr(path.size() - 1));
}

constexpr auto alerts = R"([[realtime.rule]]
topic = "alerts.>"
sender_scope = "ops"
target = { scope = "alerts:read" }
priority = "high"

[[realtime.rule]]
topic = "alerts.>"
larger_than = "1KiB"
refuse = true

[[realtime.rule]]
sender = "bot"
redirect = "bots"
)";

}  // namespace

TEST_CASE("who sets rules as if they were one key is told where they are written") {
  for (const char* key : {"realtime.rule", "realtime.rule.topic", "realtime.rule.0.topic"}) {
    const auto refused = load_config({.flags = {{key, "1", "--set"}}});
    REQUIRE_FALSE(refused.has_value());
    const auto told = refused.error().front().text();
    CHECK_MESSAGE(told.contains("[[realtime.rule]]"), told);
    CHECK_FALSE(told.contains("realtime.echo"));
  }
  const auto refused = load_config({.flags = {{"realtime.namespace", "1", "--set"}}});
  CHECK(refused.error().front().text().contains("[realtime.namespace.chat]"));
}

TEST_CASE("each table is a rule, in the order of the file") {
  const auto config = load(alerts);
  REQUIRE(config.has_value());
  REQUIRE_EQ(config->realtime.rules.size(), 3);
  const auto first = rule_of(config->realtime.rules[0]).value();
  CHECK_EQ(first.topic.text(), "alerts.>");
  CHECK_EQ(first.sender_scope, "ops");
  CHECK_EQ(*first.target, "alerts:read");
  CHECK(first.priority == realtime::Priority::high);
  const auto second = rule_of(config->realtime.rules[1]).value();
  CHECK(second.refuse);
  CHECK_EQ(second.larger_than, 1024);
  const auto third = rule_of(config->realtime.rules[2]).value();
  CHECK_EQ(third.topic.text(), ">");
  CHECK_EQ(third.sender->value(), "bot");
  CHECK_EQ(third.redirect->text(), "bots");
}

TEST_CASE("a mistake in a rule is told with its line, its rule and what to do") {
  struct Row {
    std::string text;
    std::string problem;
  };
  const Row rows[] = {
      {"[[realtime.rule]]\ntopic = \"a..b\"\nrefuse = true",
       "F:2: realtime.rule.1.topic is neither a topic nor a pattern"},
      {"[[realtime.rule]]\nrefuse = true\n[[realtime.rule]]\npriority = \"urgent\"",
       "F:4: realtime.rule.2.priority wants low, normal or high"},
      {"[[realtime.rule]]\nredirect = \"a.*\"", "F:2: realtime.rule.1.redirect is no topic"},
      {"[[realtime.rule]]\ntopic = \"a\"",
       "F:2: realtime.rule.1 cannot work: a rule needs one of refuse, redirect, priority "
       "and "
       "target"},
      {"[[realtime.rule]]\nrefuse = true\n\n[[realtime.rule]]\nsender_scope = \"ops\"",
       "F:5: realtime.rule.2 cannot work: a rule needs one of refuse, redirect, priority and target"},
      {"[[realtime.rule]]\npriorty = \"high\"",
       "F:2: there is no key realtime.rule.1.priorty; do you mean realtime.rule.1.priority?"},
  };
  for (const auto& row : rows) {
    const auto config = load(row.text);
    REQUIRE_FALSE(config.has_value());
    CHECK_EQ(config.error(), row.problem);
  }
}

TEST_CASE("rules that change take effect live and are named") {
  const auto running = load(alerts);
  auto wanted = running;
  wanted->realtime.rules.pop_back();
  wanted->realtime.rules[0].priority = "low";
  const auto reloaded = reload(*running, *wanted);
  REQUIRE(reloaded.has_value());
  CHECK_EQ(reloaded->changed,
           std::vector<std::string>{"realtime.rule.1.priority", "realtime.rule.3.sender", "realtime.rule.3.redirect"});
  CHECK_EQ(reloaded->config.realtime.rules.size(), 2);
}
