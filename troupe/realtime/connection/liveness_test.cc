// Rate limit and heartbeat: what passes, what waits, and when a silent connection is given up.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "troupe/realtime/connection/heartbeat.h"
#include "troupe/realtime/connection/rate_limit.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
constexpr base::Instant start{1'000'000'000};

TEST_CASE("a bucket lets the burst pass at once and then its rate") {
  TokenBucket bucket{{.per_second = 10, .burst = 5}, start};
  for (int i = 0; i < 5; ++i) CHECK(bucket.take(1, start));
  CHECK_FALSE(bucket.take(1, start));
  CHECK_GE(bucket.wait_for(1), 100ms);
  CHECK_FALSE(bucket.take(1, start + 99ms));
  CHECK(bucket.take(1, start + 101ms));
  CHECK_FALSE(bucket.take(6, start + 1h));
  CHECK(bucket.take(5, start + 1h));
}

TEST_CASE("no bucket ever lets more pass than its burst and its rate allow") {
  CHECK(rc::check("rate is kept", [] {
    TokenBucket bucket{{.per_second = 7, .burst = 3}, start};
    auto now = start;
    double taken = 0;
    for (int i = 0; i < 100; ++i) {
      now = now + std::chrono::milliseconds{*rc::gen::inRange(0, 300)};
      auto units = *rc::gen::inRange(0, 3);
      if (bucket.take(units, now)) taken += units;
      RC_ASSERT(taken <= 3 + 7 * std::chrono::duration<double>(now - start).count() + 0.001);
    }
  }));
}

TEST_CASE("the first ping comes in the second half of the interval, the others an interval apart") {
  HeartbeatOptions options;
  Heartbeat early{options, start, 0.0};
  CHECK_EQ(early.due(), start + 12500ms);
  Heartbeat heartbeat{options, start, 0.5};
  auto first = start + 18750ms;
  CHECK_EQ(heartbeat.due(), first);
  CHECK_EQ(heartbeat.on_time(first - 1ms), Heartbeat::Step::wait);
  CHECK_EQ(heartbeat.on_time(first), Heartbeat::Step::ping);
  heartbeat.on_pong(first + 30ms);
  CHECK_EQ(heartbeat.rtt(), 30ms);
  CHECK_EQ(heartbeat.due(), first + 25s);
}

TEST_CASE("a ping without an answer in time means that the connection is lost") {
  HeartbeatOptions options;
  Heartbeat heartbeat{options, start, 0.0};
  auto ping = heartbeat.due();
  CHECK_EQ(heartbeat.on_time(ping), Heartbeat::Step::ping);
  CHECK_EQ(heartbeat.on_time(ping + 9s), Heartbeat::Step::wait);
  CHECK_EQ(heartbeat.on_time(ping + 10s), Heartbeat::Step::lost);
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
