// Permissions: what scopes and default grants allow.
#include "troupe/realtime/protocol/permission.h"

#include <doctest/doctest.h>

namespace troupe::realtime {
namespace {

TopicName name(std::string_view text) { return TopicName::parse(text).value(); }
TopicPattern pattern(std::string_view text) { return TopicPattern::parse(text).value(); }

TEST_CASE("scopes grant topics, and only what lies inside one grant is allowed") {
  const std::string scopes[] = {
      "openid",         "topic:chat.*:subscribe", "topic:chat.general:publish", "topic:a:b:subscribe",
      "topic:x:delete", "topic::publish",         "topic:a..b:publish",         "topic:publish"};
  auto permissions = Permissions::from(scopes);
  CHECK(permissions.may_subscribe(pattern("chat.*")));
  CHECK(permissions.may_subscribe(pattern("chat.general")));
  CHECK(permissions.may_subscribe(pattern("a:b")));
  CHECK_FALSE(permissions.may_subscribe(pattern("chat.>")));
  CHECK_FALSE(permissions.may_subscribe(pattern("*.general")));
  CHECK(permissions.may_publish(name("chat.general")));
  CHECK_FALSE(permissions.may_publish(name("chat.other")));
  CHECK_FALSE(permissions.may_publish(name("x")));
  CHECK_FALSE(Permissions{}.may_subscribe(pattern("chat")));
}

TEST_CASE("default grants stand beside those of the token") {
  const auto defaults = std::make_shared<const std::vector<Grant>>(1, *Grant::parse("topic:public.>:subscribe"));
  auto permissions = Permissions::from({}, defaults);
  CHECK(permissions.may_subscribe(pattern("public.news.*")));
  CHECK_FALSE(permissions.may_publish(name("public.news")));
}

}  // namespace
}  // namespace troupe::realtime
