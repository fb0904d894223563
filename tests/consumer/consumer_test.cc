// The consumer's own test of an actor, in simulated time.
#include <troupe/actor/sim/world.h>

using namespace troupe::actor;
using namespace std::chrono_literals;

struct Wake {
  using reply = int;
};

class Sleeper {
 public:
  Task<int> handle(Wake, Context& ctx) {
    co_await ctx.sleep(24h);
    co_return 42;
  }
};

int main() {
  test::World world{7};
  const auto sleeper = world.spawn<Sleeper>({});
  const auto answer = world.block_on(sleeper.ask(Wake{}, {.within = 48h}));
  return answer && *answer == 42 ? 0 : 1;
}
