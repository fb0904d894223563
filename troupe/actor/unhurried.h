// Unhurried: for what must be seen through once it has begun, such as a write and what is told because of it.
#pragma once

#include "troupe/actor/task.h"

namespace troupe::actor {

/// While it lives, neither the handler nor what it waits for ends with the ask that is being handled.
class Unhurried {
 public:
  Unhurried() noexcept : activation_(detail::awaiting()), deadline_(activation_.deadline), shield_(&activation_) {
    set(Instant::never());
  }
  Unhurried(const Unhurried&) = delete;
  Unhurried& operator=(const Unhurried&) = delete;
  ~Unhurried() { set(deadline_); }

 private:
  void set(Instant deadline) noexcept {
    activation_.deadline = deadline;
    Core& core = *activation_.cell->owner;
    if (core.running() == &activation_) core.set_deadline(deadline);  // not where its frames are being destroyed
  }
  Activation& activation_;
  const Instant deadline_;
  Shield shield_;
};

}  // namespace troupe::actor
