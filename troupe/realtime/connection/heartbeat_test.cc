// Heartbeat: when a connection is pinged, and when a silent one is given up.
#include "troupe/realtime/connection/heartbeat.h"

#include <doctest/doctest.h>

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
constexpr base::Instant start{1'000'000'000};

TEST_CASE("the first ping comes in the second half of the interval, the others an interval apart") {
  HeartbeatOptions options;
  Heartbeat early{options, start, 0.0};
  CHECK_EQ(early.due(), start + 12500ms);
  Heartbeat heartbeat{options, start, 0.5};
  auto first = start + 18800ms;  // the tick after 18 750 ms
  CHECK_EQ(heartbeat.due(), first);
  CHECK_EQ(heartbeat.on_time(first - 1ms, true), Heartbeat::Step::wait);
  CHECK_EQ(heartbeat.on_time(first + 4ms, true), Heartbeat::Step::ping);  // a turn is never quite in time
  heartbeat.on_pong(first + 34ms);
  CHECK_EQ(heartbeat.rtt(), 30ms);
  CHECK_EQ(heartbeat.due(), first + 25s);
}

TEST_CASE("a ping without an answer in time means that the connection is lost") {
  HeartbeatOptions options;
  Heartbeat heartbeat{options, start, 0.0};
  auto ping = heartbeat.due();
  CHECK_EQ(heartbeat.on_time(ping, true), Heartbeat::Step::ping);
  CHECK_EQ(heartbeat.on_time(ping + 9s, true), Heartbeat::Step::wait);
  CHECK_EQ(heartbeat.on_time(ping + 10s, true), Heartbeat::Step::lost);
}

TEST_CASE("an answer that is not read is not missing, and has its time once it is") {
  HeartbeatOptions options;
  Heartbeat heartbeat{options, start, 0.0};
  auto ping = heartbeat.due();
  CHECK_EQ(heartbeat.on_time(ping, true), Heartbeat::Step::ping);
  CHECK_EQ(heartbeat.on_time(ping + 10s, false), Heartbeat::Step::wait);
  CHECK_EQ(heartbeat.due(), ping + 20s);
  heartbeat.on_hearing(ping + 19s);
  CHECK_EQ(heartbeat.on_time(ping + 28s, true), Heartbeat::Step::wait);
  CHECK_EQ(heartbeat.on_time(ping + 29s, true), Heartbeat::Step::lost);
}

TEST_CASE("a pong that nobody asked for changes nothing") {
  HeartbeatOptions options;
  Heartbeat heartbeat{options, start, 0.0};
  auto due = heartbeat.due();
  heartbeat.on_pong(start + 1s);
  CHECK_EQ(heartbeat.due(), due);
  CHECK_FALSE(heartbeat.rtt().has_value());
}

}  // namespace
}  // namespace troupe::realtime
