// Scopes: one set whatever the text, and texts outside the grammar.
#include "troupe/oauth/model/scope.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

ScopeSet scope(std::string_view text) { return ScopeSet::parse(text).value(); }

TEST_CASE("scopes are a set: order and doubles make no difference") {
  CHECK(scope("b a b") == scope("a b"));
  CHECK_EQ(scope("write read").text(), "read write");
  CHECK(scope("").empty());
}

TEST_CASE("a scope text outside the grammar is refused (T11)") {
  for (auto text : {" a", "a ", "a  b", "a\tb", "a\"b", "a\\b", "\xc3\xa4", "a\nb"}) {
    CAPTURE(text);
    CHECK_EQ(ScopeSet::parse(text).error(), ScopeError::bad_character);
  }
  std::string many;
  for (int i = 0; i < 101; ++i) many += (i ? " s" : "s") + std::to_string(i);
  CHECK_EQ(ScopeSet::parse(many).error(), ScopeError::too_many);
}

TEST_CASE("sets of scopes are compared, joined and cut") {
  CHECK(scope("a").is_within(scope("a b")));
  CHECK_FALSE(scope("a c").is_within(scope("a b")));
  CHECK(scope("a b").intersection(scope("b c")) == scope("b"));
  CHECK(scope("a b").united_with(scope("b c")) == scope("a b c"));
  CHECK(scope("a b").without("a") == scope("b"));
  CHECK(scope("a b").contains("b"));
}

TEST_CASE("who was given a pattern of topics may ask for less, and for nothing else") {
  auto given = scope("notes topic:chat.*:subscribe topic:news.>:publish");
  for (auto asked : {"", "notes topic:chat.*:subscribe", "topic:chat.x:subscribe",
                     "topic:chat.a:subscribe topic:chat.b:subscribe", "notes topic:news.a.*:publish"}) {
    CAPTURE(asked);
    CHECK(scope(asked).is_within(given));
  }
  for (auto asked : {"topic:chat.>:subscribe", "topic:chat.x:publish", "topic:*.x:subscribe", "topic:news:publish",
                     "note", "topic:chat.x:subscribe other"}) {
    CAPTURE(asked);
    CHECK_FALSE(scope(asked).is_within(given));
  }
}

}  // namespace
}  // namespace troupe::oauth
