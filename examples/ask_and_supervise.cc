// Ask and supervise: what fails is started anew by its parent, and who asked learns whether it is safe to ask again.
#include <cstdio>
#include <stdexcept>

#include "troupe/actor/sim/world.h"
#include "troupe/actor/supervise.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

enum class DivideError { by_zero };

struct Divide {
  int dividend;
  int divisor;
  using reply = int;
  using error = DivideError;
};
struct Crash {};
struct Burn {};
struct Hang {
  using reply = int;
};

class Calculator {
 public:
  // An answer that the asker must expect is a value; the actor goes on.
  std::expected<int, DivideError> handle(Divide m) {
    if (m.divisor == 0) return std::unexpected(DivideError::by_zero);
    return m.dividend / m.divisor;
  }
  // A fault is an exception: the supervisor decides, by default a restart with the mailbox kept.
  void handle(Crash) { throw std::runtime_error("out of paper"); }
  void handle(Burn) { throw std::logic_error("nobody may go on with this one"); }
  Task<int> handle(Hang, Context& ctx) {
    co_await ctx.sleep(1h);
    co_return 0;
  }
};

template <class E>
const char* text(const Failure<E>& failure) {
  switch (failure.outcome) {
    case Outcome::answered:
      return "answered with its error";
    case Outcome::not_executed:
      return "not executed: safe to repeat";
    case Outcome::executed_failed:
      return "executed, and failed";
    case Outcome::unknown:
      return "unknown: it may have been executed";
  }
  return "";
}

int main() {
  test::World world{1};
  const auto calculator = world.spawn<Calculator>({.name = "calculator"});
  const auto print = [&](const char* what, auto answer) {
    if (answer) {
      std::printf("%s: %d\n", what, *answer);
    } else {
      std::printf("%s: %s\n", what, text(answer.error()));
    }
  };

  print("12 / 4", world.block_on(calculator.ask(Divide{12, 4})));
  print("12 / 0", world.block_on(calculator.ask(Divide{12, 0})));

  // The question waits in the mailbox while the calculator crashes and is started again.
  calculator.tell(Crash{});
  print("after a crash, 8 / 2", world.block_on(calculator.ask(Divide{8, 2})));

  print("an hour within a second", world.block_on(calculator.ask(Hang{}, {.within = 1s})));
  print("somebody who is gone", world.block_on(Ref<Calculator>{}.ask(Divide{1, 1})));

  // A supervisor and its children, started in this order; the rules decide by the type of the exception.
  Ref<Calculator> left;
  Ref<Calculator> right;
  const Supervision rules{.strategy = Strategy::one_for_one,
                          .intensity = {.restarts = 10, .within = 1min},
                          .backoff = {.min = 10ms, .max = 1s},
                          .decide = on<std::logic_error>(Directive::stop)};  // anything else: a restart
  supervise(world.system(), "office", rules, [&](Children& children) {
    left = children.child<Calculator>({.name = "left"});
    right = children.child<Calculator>({.name = "right"});
  });
  left.tell(Crash{});
  right.tell(Burn{});
  print("left, started again", world.block_on(left.ask(Divide{6, 3})));
  print("right, stopped for good", world.block_on(right.ask(Divide{6, 3})));
}
