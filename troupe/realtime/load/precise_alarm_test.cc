// PreciseAlarm, on the wheel of a simulated core and on the descriptor of a real one.
#include "troupe/realtime/load/precise_alarm.h"

#include <doctest/doctest.h>

#include <optional>

#include "troupe/actor/sim/world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

TEST_CASE("it rings once when it is due, and not when it was disarmed") {
  actor::test::World world{1};
  int rung = 0;
  PreciseAlarm alarm{world.core(0), AlarmKind::wheel, [&] { ++rung; }};
  alarm.arm(world.core(0).now() + 10ms);
  world.advance(9ms);
  CHECK_EQ(rung, 0);
  world.advance(2ms);
  CHECK_EQ(rung, 1);
  alarm.arm(world.core(0).now() + 10ms);
  alarm.disarm();
  world.advance(1s);
  CHECK_EQ(rung, 1);
}

/// Says when its alarm has rung.
struct Ring {
  using reply = base::Duration;  // after it was due
};
class Ringer {
 public:
  void handle(Ring, actor::Reply<base::Duration> reply, actor::Context& ctx) {
    reply_ = std::move(reply);
    const auto due = ctx.core().read_clock() + 300us;
    alarm_.emplace(ctx.core(), AlarmKind::descriptor,
                   [this, due, &core = ctx.core()] { reply_.set(core.read_clock() - due); });
    alarm_->arm(due);
  }

 private:
  actor::Reply<base::Duration> reply_;
  std::optional<PreciseAlarm> alarm_;
};

TEST_CASE("on a real core it rings no earlier than it is due") {
  actor::System system{{.cores = 1}};
  const auto ringer = system.spawn<Ringer>({});
  for (int i = 0; i < 3; ++i) {
    const auto late = system.block_on(ringer.ask(Ring{}));
    REQUIRE(late.has_value());
    CHECK_GE(*late, 0ns);
  }
}

}  // namespace
}  // namespace troupe::realtime
