// Schedule: the rate holds however late one looks, and nothing drifts.
#include "troupe/realtime/load/schedule.h"

#include <doctest/doctest.h>

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
constexpr base::Instant start{5'000'000'000};

TEST_CASE("each is due at its own moment, however late the others were taken") {
  Schedule schedule{start, 1000};
  base::Instant due;
  CHECK_FALSE(schedule.take(start - 1ns, due));
  CHECK(schedule.take(start, due));
  CHECK_EQ(due, start);
  CHECK_FALSE(schedule.take(start + 999'999ns, due));
  int late = 0;
  while (schedule.take(start + 1s, due)) {
    ++late;
    CHECK_EQ(due, start + late * 1ms);
  }
  CHECK_EQ(late, 1000);
  CHECK_EQ(schedule.next(), start + 1001ms);
}

TEST_CASE("a rate that does not divide a second does not drift in a day") {
  const Schedule schedule{start, 3};
  CHECK_EQ((schedule.at(3 * 86'400) - start) / 1us, 86'400'000'000);
  const Schedule slow{start, 0.1};
  CHECK_EQ(slow.at(6) - start, 60s);
}

}  // namespace
}  // namespace troupe::realtime
