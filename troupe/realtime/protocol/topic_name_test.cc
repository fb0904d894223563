// Where topics live: each has one home, the same for everybody, and homes are spread over the shards.
#include "troupe/realtime/protocol/topic_name.h"

#include <doctest/doctest.h>

#include <vector>

namespace troupe::realtime {
namespace {

TEST_CASE("a topic has one home, and homes are spread") {
  std::vector<int> topics(4);
  for (int i = 0; i < 4000; ++i) ++topics[home_of("chat.room" + std::to_string(i), 4)];
  for (int count : topics) CHECK(count > 800);
  CHECK_EQ(home_of("chat.general", 4), home_of("chat.general", 4));
}

}  // namespace
}  // namespace troupe::realtime
