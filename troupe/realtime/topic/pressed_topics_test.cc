// PressedTopics: who holds a topic up, and for how long it is believed.
#include "troupe/realtime/topic/pressed_topics.h"

#include <doctest/doctest.h>

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a topic is pressed until every core that said so has taken it back") {
  PressedTopics topics;
  const base::Instant now;
  CHECK_FALSE(topics.contains("a", now));
  topics.press(0, {"a", "b"}, now + 3s);
  topics.press(1, {"a"}, now + 3s);
  topics.relieve(0, {"a", "never"});
  CHECK(topics.contains("a", now));
  CHECK(topics.contains("b", now));
  topics.relieve(1, {"a"});
  CHECK_FALSE(topics.contains("a", now));
  CHECK_EQ(topics.size(), 1);
}

TEST_CASE("what a core does not say again holds nobody up for long, and leaves nothing behind") {
  PressedTopics topics;
  const base::Instant now;
  topics.press(0, {"a"}, now + 3s);
  topics.press(1, {"a", "b"}, now + 3s);
  topics.press(1, {"a"}, now + 5s);
  CHECK(topics.contains("b", now + 2s));
  CHECK_FALSE(topics.contains("b", now + 3s));
  CHECK(topics.contains("a", now + 4s));
  topics.expire(now + 4s);
  CHECK_EQ(topics.size(), 1);
  topics.expire(now + 5s);
  CHECK_EQ(topics.size(), 0);
}

}  // namespace
}  // namespace troupe::realtime
