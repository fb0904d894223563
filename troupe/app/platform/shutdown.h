// Shutdown: the phases in which the server goes away, each with its line in the log, and what hurries them.
//
// Owned by the Platform, beside its System, whose shutdown phases it fills. A phase that is hurried gets little more
// time, and the next one begins whether it is done or not; what it had begun goes on until its actors stop. `add`,
// `begin` and `hurry` on any thread; everything else happens on the first core.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "troupe/actor/actor.h"

namespace troupe::app {

struct ShutdownStep {
  actor::ShutdownPhase phase;
  std::function<actor::Task<void>()> work;
  std::function<void()> hurry{};  // called once when its work is under way and somebody hurries
  base::Duration hurried_within = std::chrono::milliseconds{500};  // what it gets from then on
};

class Shutdown {
 public:
  explicit Shutdown(actor::System& system) : system_(&system) {}

  /// Before `begin`.
  void add(ShutdownStep step);
  /// Goes through the phases and calls `done`, on a core, when all are over.
  void begin(std::function<void()> done) const { system_->shutdown_phases().begin(std::move(done)); }
  /// From now on each phase has its `hurried_within`; said again, nothing is waited for.
  void hurry() const;

  /// The time of all phases one after the other, as they are and hurried.
  base::Duration longest() const noexcept { return longest_; }
  base::Duration longest_hurried() const noexcept { return longest_hurried_; }

 private:
  /// Touched on the first core alone, where the phases run, and guests.
  struct Hurry {
    std::optional<base::Instant> since;
    bool at_once = false;
  };
  struct Work {
    bool is_over = false;
    std::exception_ptr error;
  };
  using StepPtr = std::shared_ptr<const ShutdownStep>;

  static actor::Task<void> run(actor::System* system, std::shared_ptr<const Hurry> hurry, StepPtr step);
  static actor::Task<void> carry_out(StepPtr step, std::shared_ptr<Work> work);

  actor::System* system_;
  std::shared_ptr<Hurry> hurry_ = std::make_shared<Hurry>();
  base::Duration longest_{};
  base::Duration longest_hurried_{};
};

}  // namespace troupe::app
