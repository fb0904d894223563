// Topics and patterns: what is valid, what matches, what lies inside what.
#include "troupe/base/topic_name.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "troupe/base/testing/topic_generators.h"

namespace troupe::base {
namespace {

TopicName name(std::string_view text) { return TopicName::parse(text).value(); }
TopicPattern pattern(std::string_view text) { return TopicPattern::parse(text).value(); }

TEST_CASE("a topic name says what is wrong with it") {
  struct Row {
    std::string text;
    std::expected<void, TopicError> name;
    std::expected<void, TopicError> pattern;
  };
  auto no = [](TopicError error) { return std::expected<void, TopicError>{std::unexpect, error}; };
  std::string segments15 = "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a";
  const Row rows[] = {
      {"chat", {}, {}},
      {"chat.general", {}, {}},
      {"chat:1/x y.\xc3\xa9", {}, {}},
      {"$user.bob", {}, {}},
      {segments15 + ".a", {}, {}},
      {std::string(256, 'a'), {}, {}},
      {"", no(TopicError::empty), no(TopicError::empty)},
      {std::string(257, 'a'), no(TopicError::too_long), no(TopicError::too_long)},
      {segments15 + ".a.a", no(TopicError::too_many_segments), no(TopicError::too_many_segments)},
      {".a", no(TopicError::empty_segment), no(TopicError::empty_segment)},
      {"a.", no(TopicError::empty_segment), no(TopicError::empty_segment)},
      {"a..b", no(TopicError::empty_segment), no(TopicError::empty_segment)},
      {"a\nb", no(TopicError::control_character), no(TopicError::control_character)},
      {"*", no(TopicError::wildcard_in_name), {}},
      {">", no(TopicError::wildcard_in_name), {}},
      {"*.a.*", no(TopicError::wildcard_in_name), {}},
      {"a.>", no(TopicError::wildcard_in_name), {}},
      {"a.>.b", no(TopicError::wildcard_in_name), no(TopicError::stray_wildcard)},
      {"a.b*", no(TopicError::wildcard_in_name), no(TopicError::stray_wildcard)},
      {"a.**", no(TopicError::wildcard_in_name), no(TopicError::stray_wildcard)},
      {"*.*.a.*.*.>", no(TopicError::wildcard_in_name), {}},
      {"*.*.a.*.*.*", no(TopicError::wildcard_in_name), no(TopicError::too_many_wildcards)},
      {"a.*.*.*.*.*.>", no(TopicError::wildcard_in_name), no(TopicError::too_many_wildcards)},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    auto as_name = TopicName::parse(row.text);
    auto as_pattern = TopicPattern::parse(row.text);
    CHECK_EQ(as_name.has_value(), row.name.has_value());
    if (!as_name && !row.name) CHECK_EQ(as_name.error(), row.name.error());
    CHECK_EQ(as_pattern.has_value(), row.pattern.has_value());
    if (!as_pattern && !row.pattern) CHECK_EQ(as_pattern.error(), row.pattern.error());
  }
}

TEST_CASE("a star matches one segment anywhere and a greater-than one or more at the end") {
  struct Row {
    std::string_view pattern, name;
    bool matches;
  };
  constexpr Row rows[] = {
      {"chat", "chat", true},       {"chat", "chat.x", false},     {"chat.*", "chat.x", true},
      {"chat.*", "chat", false},    {"chat.*", "chat.x.y", false}, {"*.x", "chat.x", true},
      {"a.*.c", "a.b.c", true},     {"a.*.c", "a.b.d", false},     {"chat.>", "chat.x", true},
      {"chat.>", "chat.x.y", true}, {"chat.>", "chat", false},     {">", "chat", true},
      {">", "a.b.c", true},         {"*", "a.b", false},           {"*.>", "a", false},
      {"*.>", "a.b.c", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.pattern);
    CAPTURE(row.name);
    CHECK_EQ(pattern(row.pattern).matches(name(row.name)), row.matches);
  }
}

TEST_CASE("a pattern that begins with a wildcard never reaches a reserved topic") {
  for (auto reserved : {"$user.bob", "$x", "system.news"}) {
    CAPTURE(reserved);
    CHECK(is_reserved_topic(reserved));
    for (auto wild : {">", "*.*", "*", "*.>"}) CHECK_FALSE(pattern(wild).matches(name(reserved)));
    for (auto wild : {">", "*.*", "*", "*.>"}) CHECK_FALSE(pattern(wild).contains(pattern(reserved)));
  }
  CHECK(pattern("$user.*").matches(name("$user.bob")));
  CHECK(pattern("system.>").contains(pattern("system.*")));
  CHECK_FALSE(is_reserved_topic("system"));
  CHECK_FALSE(is_reserved_topic("systems.x"));
}

TEST_CASE("a pattern contains another when whatever matches the inner matches the outer") {
  struct Row {
    std::string_view outer, inner;
    bool contains;
  };
  constexpr Row rows[] = {
      {"chat.*", "chat.x", true}, {"chat.*", "chat.*", true}, {"chat.*", "chat.>", false},
      {"chat.>", "chat.*", true}, {"chat.>", "chat.>", true}, {"chat.>", "chat.*.>", true},
      {">", "chat.>", true},      {">", ">", true},           {"*", ">", false},
      {"*.*", "*.x", true},       {"*.x", "*.*", false},      {"chat.x", "chat.*", false},
      {"chat", "chat.x", false},  {"chat.x", "chat", false},  {"chat.>", "chat", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.outer);
    CAPTURE(row.inner);
    CHECK_EQ(pattern(row.outer).contains(pattern(row.inner)), row.contains);
  }
}

TEST_CASE("containment never promises more than matching keeps") {
  CHECK(rc::check("outer contains inner, so a match of inner is a match of outer", [] {
    auto outer = *testing::pattern();
    auto inner = *testing::pattern();
    auto topic = *testing::name();
    if (outer.contains(inner) && inner.matches(topic)) RC_ASSERT(outer.matches(topic));
    if (inner.is_name()) RC_ASSERT(outer.contains(inner) == outer.matches(name(inner.text())));
  }));
}

}  // namespace
}  // namespace troupe::base
