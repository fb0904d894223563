// DueQueue: whatever is moved, the earliest comes first.
#include "troupe/realtime/connection/due_queue.h"

#include <doctest/doctest.h>

#include <deque>
#include <map>

#include "troupe/base/random.h"

namespace troupe::realtime {
namespace {

struct Somebody : DueQueue::Member {
  using Member::Member;
};

TEST_CASE("whoever is due first comes first, the older one of two, however often times are replaced") {
  base::SeededRandom random{3};
  std::deque<Somebody> all;
  for (ConnectionNumber number = 1; number <= 40; ++number) all.emplace_back(number);
  DueQueue queue;
  std::map<ConnectionNumber, base::Instant> plain;
  for (int step = 0; step < 5000; ++step) {
    auto& one = all[random.below(all.size())];
    const bool leaves = random.below(4) == 0;
    const auto at = leaves ? base::Instant::never() : base::Instant{static_cast<std::int64_t>(random.below(30))};
    queue.move(one, at);
    plain.erase(one.number());
    if (!leaves) plain[one.number()] = at;
    base::Instant earliest = base::Instant::never();
    ConnectionNumber first = 0;
    for (const auto& [number, due] : plain) {
      if (due < earliest) earliest = due, first = number;
    }
    REQUIRE_EQ(queue.earliest().nanoseconds, earliest.nanoseconds);
    if (first != 0) REQUIRE_EQ(queue.first().number(), first);
  }
}

}  // namespace
}  // namespace troupe::realtime
