// RealtimeSettings: a topic's options are those of its first segment, and grants add up.
#include "troupe/realtime/topic/settings.h"

#include <doctest/doctest.h>

namespace troupe::realtime {
namespace {

TEST_CASE("the options of a topic or pattern are those of its first segment") {
  const RealtimeSettings settings{{.payload_bytes_max = 1},
                                  {{"chat", {.payload_bytes_max = 2}}, {"chatter", {.payload_bytes_max = 3}}}};
  struct Row {
    std::string_view topic;
    std::size_t payload_bytes_max;
  };
  constexpr Row rows[] = {
      {"chat", 2}, {"chat.general", 2}, {"chat.a.b.>", 2}, {"chat.*", 2}, {"chatter.x", 3},
      {"cha", 1},  {"news.chat", 1},    {"*", 1},          {"*.chat", 1}, {">", 1},
  };
  for (const auto& row : rows) {
    CAPTURE(row.topic);
    CHECK_EQ(settings.of(TopicPattern::parse(row.topic).value()).payload_bytes_max, row.payload_bytes_max);
    if (auto name = TopicName::parse(row.topic)) {
      CHECK_EQ(settings.of(*name).payload_bytes_max, row.payload_bytes_max);
    }
  }
}

TEST_CASE("who is let in has the grants of all namespaces, and without a token the anonymous ones besides") {
  const RealtimeSettings settings{
      {.default_grants = {*Grant::parse("topic:lobby:subscribe")}},
      {{"chat", {.default_grants = {*Grant::parse("topic:chat.>:publish")}}},
       {"news", {.anonymous_grants = {*Grant::parse("topic:news.*:subscribe")}}}},
  };
  const auto with = Permissions::from({}, settings.grants_with_token());
  const auto without = Permissions::from({}, settings.grants_without_token());
  auto pattern = [](std::string_view text) { return TopicPattern::parse(text).value(); };
  for (const auto& permissions : {with, without}) {
    CHECK(permissions.may_subscribe(pattern("lobby")));
    CHECK(permissions.may_publish(TopicName::parse("chat.a").value()));
    CHECK_FALSE(permissions.may_subscribe(pattern("chat.a")));
  }
  CHECK(without.may_subscribe(pattern("news.a")));
  CHECK_FALSE(with.may_subscribe(pattern("news.a")));
}

}  // namespace
}  // namespace troupe::realtime
