// Scheduler: chooses from the seed which core takes the next turn, which of its actors goes first, and how long.
//
// Owned by a World. The order of different actors on one core is nobody's promise, so it is
// chosen as freely as that of the cores. See seed.h for the two ways to choose.
#pragma once

#include <map>
#include <vector>

#include "troupe/actor/runtime/core.h"
#include "troupe/actor/sim/seed.h"
#include "troupe/base/random.h"

namespace troupe::actor::test {

class Scheduler {
 public:
  explicit Scheduler(Seed seed);

  struct Turn {
    Core* core;
    Core::TurnLimits limits;
  };
  /// `ready` is not empty.
  Turn next(const std::vector<Core*>& ready);
  /// Lets one of the actors go first that wait now that the turn has begun.
  void arrange(Core& core);

 private:
  /// Who has the highest priority: an actor of a core's line, or the core itself.
  struct First {
    Core* core = nullptr;
    Cell* cell = nullptr;
    std::uint64_t priority = 0;
  };

  bool is_strict() const noexcept;
  void consider(Core& core, First& first) const;
  void consider_line(Core& core, First& first) const;
  void begin_period();
  void let_fall(const First& first);
  std::uint64_t priority_of(std::uint64_t id) const;

  const Seed seed_;
  base::SeededRandom random_;
  std::uint64_t step_ = 0;
  // Of `priorities`: when the first falls, and how low the last one fell.
  std::uint64_t period_end_ = 0;
  std::vector<std::uint64_t> falls_at_;
  std::map<std::uint64_t, std::uint64_t> fallen_;
  std::uint64_t lowest_;
};

}  // namespace troupe::actor::test
