// Simulated failure: the same actors under many schedules and faults, each a function of its seed. A transfer loses
// money under some of them, the exploration finds one, and the repaired version passes them all.
#include <cstdio>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

struct Add {
  int cents;
};
struct Balance {
  using reply = int;
};
struct Interrupt {};

class Purse {
 public:
  void handle(Add m) { cents_ += m.cents; }
  int handle(Balance) const { return cents_; }

 private:
  int cents_ = 100;
};

struct Transfer {
  int cents;
};

// Takes first, thinks, then gives. Whoever interrupts it in between has lost the money.
template <bool careful>
class Clerk {
 public:
  Clerk(Ref<Purse> from, Ref<Purse> to) : from_(from), to_(to) {}
  Task<void> handle(Transfer m, Context& ctx) {
    if constexpr (careful) co_await ctx.sleep(5ms);  // think first, then take and give without a pause
    from_.tell(Add{-m.cents});
    if constexpr (!careful) co_await ctx.sleep(5ms);
    to_.tell(Add{m.cents});
  }

 private:
  Ref<Purse> from_;
  Ref<Purse> to_;
};

template <bool careful>
void transfer_under_interruption(test::World& world) {
  const auto from = world.spawn<Purse>({.name = "from"});
  const auto to = world.spawn<Purse>({.name = "to"});
  const auto clerk = world.spawn<Clerk<careful>>({.name = "clerk", .core = 1}, from, to);
  clerk.tell(Transfer{30});
  world.advance(std::chrono::milliseconds{world.random().below(10)});
  world.system().stop(clerk);  // at a moment that the seed decides
  world.advance(1s);
  const int sum = world.block_on(from.ask(Balance{})).value_or(0) + world.block_on(to.ask(Balance{})).value_or(0);
  if (sum != 200) throw std::runtime_error("money was lost");
}

int main() {
  try {
    test::explore(100, transfer_under_interruption<false>);
    std::printf("careless: no schedule fails\n");
  } catch (const std::exception& error) {
    std::printf("careless: %s\n", error.what());
  }
  test::explore(100, transfer_under_interruption<true>);
  std::printf("careful: 100 schedules pass\n");
}
