// PreciseAlarm: a timer of one core that is not rounded to the milliseconds of its wheel, for who measures.
//
// A timerfd on a real core; on a simulated one, which has no descriptors, the wheel itself. May be armed again in its
// own call, and must not be destroyed there.
#pragma once

#include <cstdint>
#include <functional>

#include "troupe/actor/actor.h"
#include "troupe/net/descriptor.h"

namespace troupe::realtime {

enum class AlarmKind : std::uint8_t { descriptor, wheel };

class PreciseAlarm final : private actor::IoHandler, private actor::TimerNode {
 public:
  /// Throws std::system_error where there are no descriptors left. `ring` must not throw.
  PreciseAlarm(actor::Core& core, AlarmKind kind, std::function<void()> ring);
  PreciseAlarm(const PreciseAlarm&) = delete;
  PreciseAlarm& operator=(const PreciseAlarm&) = delete;
  ~PreciseAlarm() override;

  /// Rings once, at `when` or as soon as it can; replaces what was armed.
  void arm(base::Instant when);
  void disarm();

 private:
  void on_io(actor::IoEvents events) override;

  actor::Core& core_;
  std::function<void()> ring_;
  net::Descriptor timer_;  // none: the wheel
};

}  // namespace troupe::realtime
