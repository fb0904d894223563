// DeadLetterBox: what one core has dropped in this turn, until who listens is told at its end.
//
// Owned by its core and used on its thread. Made with the first drop that somebody listens to.
#pragma once

#include <vector>

#include "troupe/actor/runtime/core.h"
#include "troupe/actor/runtime/dead_letter.h"

namespace troupe::actor {

class DeadLetterBox final : public TurnEndHook {
 public:
  /// More than this in one second are counted instead: an operator reads no more, and a subscriber is not buried.
  static constexpr std::uint32_t per_second = 1000;

  explicit DeadLetterBox(Core& core) noexcept : core_(core) {}

  /// False: this second has had as many as it may have.
  bool post(const DeadLetter& letter);
  void on_turn_end() override;

 private:
  Core& core_;
  std::vector<DeadLetter> posted_;
  std::vector<DeadLetter> told_;  // kept for its memory
  Instant second_{};
  std::uint32_t this_second_ = 0;
};

}  // namespace troupe::actor
