// SharedRates: who shares a rate, and when it is forgotten.
#include "troupe/realtime/connection/shared_rate.h"

#include <doctest/doctest.h>

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

constexpr TrafficLimit two{.frames = {.per_second = 1, .burst = 2}, .bytes = {.per_second = 10, .burst = 100}};

TEST_CASE("all who have the same key take from one rate, also after they have left and come back") {
  SharedRates<int> rates;
  base::Instant now{};
  {
    auto first = rates.find(1, two, now);
    auto second = rates.find(1, two, now);
    CHECK_FALSE(first->take(two, 1, now));
    CHECK_FALSE(second->take(two, 1, now));
    auto excess = first->take(two, 1, now);
    REQUIRE(excess);
    CHECK(excess->of == Excess::Of::frames);
    CHECK(excess->wait == 1s);
    CHECK_FALSE(rates.find(2, two, now)->take(two, 1, now));
  }
  CHECK(rates.find(1, two, now)->take(two, 1, now));
  now = now + 1s;
  CHECK_FALSE(rates.find(1, two, now)->take(two, 1, now));
}

TEST_CASE("bytes are counted beside frames, and a new limit holds for a rate that is there") {
  base::Instant now{};
  SharedRate rate{two};
  CHECK_FALSE(rate.take(two, 80, now));
  auto excess = rate.take(two, 30, now);
  REQUIRE(excess);
  CHECK(excess->of == Excess::Of::bytes);
  CHECK(excess->wait == 1s);
  constexpr TrafficLimit faster{.frames = {.per_second = 10, .burst = 10}, .bytes = {.per_second = 100, .burst = 100}};
  now = now + 100ms;
  CHECK_FALSE(rate.take(faster, 30, now));
}

TEST_CASE("memory is bounded by who is there and who was there within one filling of a bucket") {
  SharedRates<int> rates;
  base::Instant now{};
  auto held = rates.find(-1, two, now);
  for (int key = 0; key < 20'000; ++key, now = now + 10ms) (void)rates.find(key, two, now)->take(two, 1, now);
  // The slower bucket takes ten seconds to fill: a thousand keys, twice that before they are looked through.
  CHECK_LE(rates.size(), 2'100);
  CHECK(rates.find(-1, two, now) == held);
}

}  // namespace
}  // namespace troupe::realtime
