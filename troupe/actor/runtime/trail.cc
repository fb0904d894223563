// See trail.h.
#include "troupe/actor/runtime/trail.h"

#include <numeric>

namespace troupe::actor {

Trail::Step& Trail::step_of(ReplyTo ask) {
  const auto core = static_cast<std::size_t>(ask.core());
  if (steps_.size() <= core) steps_.resize(core + 1);
  auto& steps = steps_[core];
  if (steps.size() <= ask.slot()) steps.resize(ask.slot() + std::size_t{1});
  return steps[ask.slot()];
}

const Trail::Step* Trail::known(ReplyTo ask) const noexcept {
  const auto core = static_cast<std::size_t>(ask.core());
  return core < steps_.size() && ask.slot() < steps_[core].size() ? &steps_[core][ask.slot()] : nullptr;
}

bool Trail::note(ReplyTo ask, Address to) {
  Step& step = step_of(ask);
  const bool withdrawn = step.ask == ask && !step.to;
  // Where the slot has a later tenant already, this one is over.
  if (withdrawn || step.ask.generation() > ask.generation()) return false;
  step = {ask, to};
  return true;
}

Address Trail::find(ReplyTo ask) const noexcept {
  const Step* step = known(ask);
  return step != nullptr && step->ask == ask ? step->to : Address{};
}

Address Trail::end(ReplyTo ask) {
  Step& step = step_of(ask);
  if (step.ask.generation() > ask.generation()) return {};
  const Address to = step.ask == ask ? step.to : Address{};
  step = {ask, {}};
  return to;
}

bool Trail::has_ended(ReplyTo ask) const noexcept {
  const Step* step = known(ask);
  if (step == nullptr) return false;
  return step->ask.generation() > ask.generation() || (step->ask == ask && !step->to);
}

std::size_t Trail::size() const noexcept {
  return std::accumulate(steps_.begin(), steps_.end(), std::size_t{0},
                         [](std::size_t sum, const auto& steps) { return sum + steps.size(); });
}

}  // namespace troupe::actor
