// See scheduler.h.
#include "troupe/actor/sim/scheduler.h"

#include <algorithm>

namespace troupe::actor::test {
namespace {

constexpr std::uint64_t unfallen = std::uint64_t{1} << 63;  // the priority of who never fell has this bit

std::uint64_t scrambled(std::uint64_t x) noexcept {  // splitmix64's last step
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

/// Nobody overtakes the runtime's own messages: children are started in the order that their parent declared.
template <class F>
void for_each_that_may_jump(Core& core, F f) {
  for (Cell* cell = core.line().first(); cell != nullptr; cell = cell->run_next) {
    f(*cell);
    if (!cell->control.empty()) return;
  }
}

}  // namespace

Scheduler::Scheduler(Seed seed) : seed_(seed), random_(seed.number ^ 0x5eed5eed5eed5eed), lowest_(unfallen - 1) {}

// Strict priorities starve who waits for a busy neighbour: now and then anybody may run.
bool Scheduler::is_strict() const noexcept { return seed_.schedule == Schedule::priorities && step_ % 64 != 0; }

Scheduler::Turn Scheduler::next(const std::vector<Core*>& ready) {
  ++step_;
  if (is_strict()) {
    if (step_ >= period_end_) begin_period();
    First first;
    for (Core* core : ready) consider(*core, first);
    return {first.core, {.messages = 1}};
  }
  Core* core = ready[random_.below(ready.size())];
  // Mostly few messages, so that the others get between; sometimes all that a real turn allows.
  switch (random_.below(16)) {
    case 0:
      return {core, {}};
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
      return {core, {.messages = static_cast<int>(2 + random_.below(15))}};
    default:
      return {core, {.messages = 1}};
  }
}

void Scheduler::arrange(Core& core) {
  if (is_strict()) {
    First first{&core};
    consider_line(core, first);
    if (first.cell != nullptr) core.line().put_first(*first.cell);
    if (std::ranges::find(falls_at_, step_) != falls_at_.end()) let_fall(first);
    return;
  }
  std::uint64_t waiting = 0;
  for_each_that_may_jump(core, [&](Cell&) { ++waiting; });
  if (waiting < 2) return;
  Cell* chosen = core.line().first();
  for (std::uint64_t skip = random_.below(waiting); skip > 0; --skip) chosen = chosen->run_next;
  core.line().put_first(*chosen);
}

std::uint64_t Scheduler::priority_of(std::uint64_t id) const {
  const auto found = fallen_.find(id);
  return found != fallen_.end() ? found->second : scrambled(id ^ scrambled(seed_.number)) | unfallen;
}

void Scheduler::begin_period() {
  // How long the run will be is not known, so the stretch over which the falls are spread is drawn too.
  const std::uint64_t length = std::uint64_t{32} << random_.below(9);
  falls_at_.clear();
  for (std::uint64_t n = 1 + random_.below(5); n > 0; --n) falls_at_.push_back(step_ + random_.below(length));
  period_end_ = step_ + length;
}

void Scheduler::consider(Core& core, First& first) const {
  // A core itself counts as one more to run: for what waits in its rings, and for its timers.
  if (const auto own = priority_of(static_cast<std::uint64_t>(core.index())); own > first.priority) {
    first = {&core, nullptr, own};
  }
  consider_line(core, first);
}

void Scheduler::consider_line(Core& core, First& first) const {
  for_each_that_may_jump(core, [&](Cell& cell) {
    const auto priority = priority_of(id_of(cell).value);
    if (priority > first.priority) first = {&core, &cell, priority};
  });
}

void Scheduler::let_fall(const First& first) {
  const auto id = first.cell != nullptr ? id_of(*first.cell).value : static_cast<std::uint64_t>(first.core->index());
  fallen_[id] = lowest_--;
}

}  // namespace troupe::actor::test
