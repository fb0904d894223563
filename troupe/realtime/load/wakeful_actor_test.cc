// WakefulActor: its core has something to do in each turn, and others are not kept waiting by it.
#include "troupe/realtime/load/wakeful_actor.h"

#include <doctest/doctest.h>

#include "troupe/actor/system.h"

namespace troupe::realtime {
namespace {

struct Asked {
  static constexpr std::string_view actor_type = "Asked";
  struct Question {
    using reply = int;
  };
  int handle(const Question&) const { return 7; }
};

TEST_CASE("a core that is kept awake answers others, and ends when it is told to") {
  actor::System system{{.cores = 1, .stall_limit = {}}};
  system.spawn<WakefulActor>({.name = "wakeful"});
  const auto asked = system.spawn<Asked>({.name = "asked"});
  for (int times = 0; times < 100; ++times) CHECK_EQ(system.block_on(asked.ask(Asked::Question{})).value(), 7);
  system.shutdown();
}

}  // namespace
}  // namespace troupe::realtime
