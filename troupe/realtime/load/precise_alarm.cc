// The clock of an Instant is CLOCK_MONOTONIC, and so is that of the descriptor.
#include "troupe/realtime/load/precise_alarm.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace troupe::realtime {

PreciseAlarm::PreciseAlarm(actor::Core& core, AlarmKind kind, std::function<void()> ring)
    : TimerNode([](actor::TimerNode& node) noexcept { static_cast<PreciseAlarm&>(node).ring_(); }),
      core_(core),
      ring_(std::move(ring)) {
  if (kind == AlarmKind::wheel) return;
  timer_ = net::Descriptor{::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
  if (!timer_) throw std::system_error{errno, std::generic_category(), "timerfd_create"};
  core_.poller().add(timer_.get(), {.read = true}, *this);
}

PreciseAlarm::~PreciseAlarm() {
  if (timer_) core_.poller().remove(timer_.get(), *this);
}

void PreciseAlarm::arm(base::Instant when) {
  if (!timer_) return core_.timers().arm(*this, when);
  const auto at = std::max<std::int64_t>(when.nanoseconds, 1);  // zero would disarm it
  const itimerspec time{{}, {at / 1'000'000'000, at % 1'000'000'000}};
  (void)::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &time, nullptr);
}

void PreciseAlarm::disarm() {
  if (!timer_) return core_.timers().disarm(*this);
  const itimerspec never{};
  (void)::timerfd_settime(timer_.get(), 0, &never, nullptr);
}

void PreciseAlarm::on_io(actor::IoEvents) {
  std::uint64_t expirations = 0;
  if (::read(timer_.get(), &expirations, sizeof expirations) == sizeof expirations) ring_();
}

}  // namespace troupe::realtime
