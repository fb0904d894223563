// Scopes of topics: how they are read, and which is the narrower one.
#include "troupe/wire/topic_scope.h"

#include <doctest/doctest.h>

namespace troupe::wire {
namespace {

TEST_CASE("a scope of a topic has a pattern and an action; everything else is a word") {
  auto publish = parse_topic_scope("topic:a:b.*:publish");
  REQUIRE(publish);
  CHECK_EQ(publish->pattern, "a:b.*");
  CHECK(publish->action == TopicAction::publish);
  for (auto word : {"", "openid", "topic", "topic:", "topic:publish", "topic::publish", "topic:x:delete", "topic:x:",
                    "topic:a..b:publish", "topic:a.>.b:subscribe", "topic:a*:subscribe", "Topic:x:publish"}) {
    CAPTURE(word);
    CHECK_FALSE(parse_topic_scope(word));
  }
}

TEST_CASE("a scope covers itself, and a topic scope whatever lies inside its pattern") {
  struct Row {
    std::string_view given, asked;
    bool covers;
  };
  constexpr Row rows[] = {
      {"notes", "notes", true},
      {"notes", "notes.read", false},
      {"topic:x:delete", "topic:x:delete", true},
      {"topic:*:delete", "topic:x:delete", false},
      {"topic:chat.*:subscribe", "topic:chat.*:subscribe", true},
      {"topic:chat.*:subscribe", "topic:chat.x:subscribe", true},
      {"topic:chat.*:subscribe", "topic:chat.x:publish", false},
      {"topic:chat.*:subscribe", "topic:chat.x.y:subscribe", false},
      {"topic:chat.*:subscribe", "topic:chat.>:subscribe", false},
      {"topic:chat.*:subscribe", "topic:*.x:subscribe", false},
      {"topic:chat.*:subscribe", "topic:news.x:subscribe", false},
      {"topic:chat.*:subscribe", "topic:chat.:subscribe", false},
      {"topic:chat.x:subscribe", "topic:chat.*:subscribe", false},
      {"topic:chat.>:publish", "topic:chat.*.z:publish", true},
      {"topic:>:subscribe", "topic:chat.>:subscribe", true},
      {"topic:>:subscribe", "topic:$user.bob:subscribe", false},
      {"topic:$user.*:publish", "topic:$user.bob:publish", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.given);
    CAPTURE(row.asked);
    CHECK_EQ(scope_covers(row.given, row.asked), row.covers);
  }
}

TEST_CASE("of several scopes one that covers is enough, and each by its own action") {
  WideScopes given;
  CHECK_FALSE(given.cover("topic:chat.x:subscribe"));
  for (const char* scope : {"openid", "*", "topic:a*:publish", "topic:chat.*:subscribe", "topic:news.>:publish"})
    given.add(scope);
  CHECK(given.cover("topic:chat.x:subscribe"));
  CHECK(given.cover("topic:news.x.y:publish"));
  CHECK(given.cover("topic:news.*:publish"));
  for (const char* asked : {"openid", "*", "x", "topic:chat.x:publish", "topic:news.x:subscribe", "topic:a:publish"}) {
    CAPTURE(asked);
    CHECK_FALSE(given.cover(asked));
  }
}

}  // namespace
}  // namespace troupe::wire
