// See clock.h.
#include "troupe/base/clock.h"

#include <ctime>

namespace troupe::base {
namespace {

class SystemClock final : public Clock {
 public:
  Instant now() const noexcept override {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return {t.tv_sec * 1'000'000'000 + t.tv_nsec};
  }
  UnixTime wall() const noexcept override {
    timespec t{};
    clock_gettime(CLOCK_REALTIME, &t);
    return {t.tv_sec * 1000 + t.tv_nsec / 1'000'000};
  }
};

}  // namespace

Clock& system_clock() noexcept {
  static SystemClock clock;
  return clock;
}

}  // namespace troupe::base
