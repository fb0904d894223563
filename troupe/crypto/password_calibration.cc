// See password_calibration.h.
#include "troupe/crypto/password_calibration.h"

#include <algorithm>
#include <ctime>

namespace troupe::crypto {
namespace {

constexpr std::int64_t passes_max = 64;  // a clock that shows nonsense must not make sign-ins take minutes

std::chrono::nanoseconds time_of_thread() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

}  // namespace

std::chrono::nanoseconds processor_time(const std::function<void()>& work) {
  const auto begin = time_of_thread();
  work();
  return time_of_thread() - begin;
}

std::chrono::nanoseconds time_of_hash(const PasswordCost& cost) {
  return processor_time([&] { (void)hash_password(Password{"how long does this take?"}, cost, PasswordSalt{}); });
}

PasswordCost calibrated(const PasswordCost& minimum, std::chrono::nanoseconds target,
                        const std::function<std::chrono::nanoseconds(const PasswordCost&)>& time_of) {
  auto shortest = time_of(minimum);
  for (int i = 0; i < 2; ++i) shortest = std::min(shortest, time_of(minimum));
  const auto of_a_pass = std::max<std::int64_t>(shortest.count() / minimum.passes, 1);
  const std::int64_t least = minimum.passes;
  PasswordCost cost = minimum;
  cost.passes = static_cast<std::uint32_t>(std::clamp(target.count() / of_a_pass, least, std::max(least, passes_max)));
  return cost;
}

}  // namespace troupe::crypto
