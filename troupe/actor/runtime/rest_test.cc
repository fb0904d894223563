// When a core looks for an answer before it sleeps, and that a sleeper is woken once.
#include "troupe/actor/runtime/rest.h"

#include <doctest/doctest.h>

using namespace troupe::actor;

TEST_CASE("who lies is woken by the first of those who have something for him, and by nobody else") {
  Rest rest;
  CHECK_FALSE(rest.is_to_be_woken());
  rest.lie_down();
  CHECK(rest.sleeps());
  CHECK(rest.is_to_be_woken());
  CHECK_FALSE(rest.is_to_be_woken());
  CHECK_FALSE(rest.sleeps());
  CHECK(rest.get_up());
  CHECK_FALSE(rest.get_up());
}

TEST_CASE("a look is taken before each sleep while looks are answered, and ever more seldom while they are not") {
  Lookout lookout;
  auto looks = [&lookout](int sleeps, bool answered) {
    int taken = 0;
    for (int i = 0; i < sleeps; ++i) {
      if (!lookout.is_worth_it()) continue;
      ++taken;
      lookout.note(answered);
    }
    return taken;
  };
  CHECK_EQ(looks(100, true), 100);
  CHECK_EQ(looks(127, false), 7);  // with pauses of 1, 3, 7, 15, 31, 63
  CHECK_EQ(looks(64 * 100, false), 100);
  CHECK_EQ(looks(64, true), 1);  // it comes at last, and from then on
  CHECK_EQ(looks(100, true), 100);
}
