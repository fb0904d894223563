// See runtime/context.h and context.h.
#include "troupe/actor/context.h"

#include "troupe/actor/system.h"

namespace troupe::actor {
namespace {

void fire(TimerNode& node) noexcept {
  auto& timer = static_cast<ActorTimer&>(node);
  Cell& cell = *timer.cell;
  Core& core = *cell.owner;
  // A tick that has not been handled yet stands for this one too, so a slow actor is not buried in its own ticks.
  if (!timer.queued) {
    timer.queued = true;
    core.admit(cell, timer.make(core));
  }
  if (timer.period > Duration::zero()) core.timers().arm(timer, core.now() + timer.period);
}

void forget(Cell& cell, ActorTimer* timer) noexcept {
  cell.extras->timers.remove(timer);
  const std::unique_ptr<ActorTimer> ended{timer};
}

}  // namespace

ActorTimer::ActorTimer() : TimerNode(fire) {}

namespace detail {

bool take_timed(Cell& cell, std::uint64_t number) noexcept {
  if (!cell.extras) return false;
  for (ActorTimer* timer = cell.extras->timers.first; timer != nullptr; timer = timer->next) {
    if (timer->number != number) continue;
    timer->queued = false;
    if (timer->period == Duration::zero()) forget(cell, timer);
    return true;
  }
  return false;
}

void start_timer(Cell& cell, std::unique_ptr<ActorTimer> timer, std::string_view key, Duration delay, Duration period) {
  Core& core = *cell.owner;
  CellExtras& extras = cell.more();
  if (!key.empty()) static_cast<Context&>(cell).cancel(key);
  timer->cell = &cell;
  timer->key = key;
  timer->number = ++extras.timer_number;
  timer->period = period;
  core.timers().arm(*timer, core.now() + delay);
  extras.timers.push(timer.release());
}

}  // namespace detail

Core& Context::core() const noexcept { return *cell_of(*this).owner; }
System& Context::system() const noexcept { return static_cast<System&>(core().host()); }
ActorId Context::id() const noexcept { return lifecycle::id_of(address()); }
Address Context::address() const noexcept { return const_cast<Cell&>(cell_of(*this)).address(); }
std::string_view Context::name() const noexcept {
  const Cell& cell = cell_of(*this);
  return cell.extras ? std::string_view{cell.extras->name} : std::string_view{};
}
base::Instant Context::now() const noexcept { return core().now(); }
base::UnixTime Context::wall() const noexcept { return core().wall(); }
base::Random& Context::random() const noexcept { return core().random(); }
void Context::stop() noexcept { lifecycle::request_stop(&core(), address()); }
Entry Context::entry() const noexcept { return Entry{address()}; }

void Context::cancel(std::string_view key) noexcept {
  Cell& cell = cell_of(*this);
  if (!cell.extras) return;
  for (ActorTimer* timer = cell.extras->timers.first; timer != nullptr; timer = timer->next) {
    if (timer->key == key) {
      forget(cell, timer);
      return;
    }
  }
}

}  // namespace troupe::actor
