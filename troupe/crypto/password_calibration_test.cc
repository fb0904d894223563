// Calibration: dear where the machine is fast, never cheaper than the minimum.
#include "troupe/crypto/password_calibration.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace troupe::crypto {
namespace {

using namespace std::chrono_literals;

constexpr PasswordCost minimum{.memory_kib = 64, .passes = 2, .lanes = 1};

TEST_CASE("passes are added until the time is used, within their bounds") {
  struct Row {
    std::chrono::nanoseconds of_minimum;
    std::chrono::nanoseconds target;
    std::uint32_t passes;
  };
  const Row rows[] = {
      {20ms, 250ms, 25},                                    // ten a pass
      {20ms, 255ms, 25}, {20ms, 20ms, 2},  {20ms, 1ms, 2},  // never fewer than the minimum
      {500ms, 250ms, 2},                                    // a slow machine
      {1us, 250ms, 64},  {0ns, 250ms, 64},                  // a clock that shows nonsense
  };
  for (const Row& row : rows) {
    CAPTURE(row.of_minimum.count());
    CAPTURE(row.target.count());
    const PasswordCost cost = calibrated(minimum, row.target, [&](const PasswordCost& at) {
      CHECK_EQ(at, minimum);
      return row.of_minimum;
    });
    CHECK_EQ(cost.passes, row.passes);
    CHECK_EQ(cost.memory_kib, minimum.memory_kib);
    CHECK_EQ(cost.lanes, minimum.lanes);
  }
}

TEST_CASE("a measurement that was disturbed does not count") {
  int asked = 0;
  const PasswordCost cost =
      calibrated(minimum, 250ms, [&](const PasswordCost&) { return ++asked == 2 ? 20ms : 200ms; });
  CHECK_EQ(asked, 3);
  CHECK_EQ(cost.passes, 25);
}

TEST_CASE("more passes take longer") {
  const PasswordCost dear{.memory_kib = 1024, .passes = 40, .lanes = 1};
  PasswordCost few = dear;
  few.passes = 2;
  CHECK_GT(time_of_hash(dear), time_of_hash(few));
}

TEST_CASE("a wrong password for a cheap hash takes as long as a name that nobody has (T65)") {
  const PasswordCost dear{.memory_kib = 1024, .passes = 30, .lanes = 1};
  PasswordCost old = dear;
  old.passes = 2;
  const auto shortest = [](const std::function<void()>& work) {
    auto time = processor_time(work);
    for (int i = 0; i < 4; ++i) time = std::min(time, processor_time(work));
    return time;
  };
  const Password guess{"a guess"};
  const auto nobody = shortest([&] { verify_password(guess, unmatchable_hash(dear)); });
  const auto somebody = shortest([&] {
    verify_password(guess, unmatchable_hash(old));
    spend_difference(unmatchable_hash(old), dear);
  });
  const auto already_dear = shortest([&] { spend_difference(unmatchable_hash(dear), dear); });
  CHECK_GT(somebody * 2, nobody);
  CHECK_LT(somebody, nobody * 2);
  CHECK_LT(already_dear * 10, nobody);
}

}  // namespace
}  // namespace troupe::crypto
