// See runtime/context.h and context.h.
#include "troupe/actor/context.h"

#include "troupe/actor/system.h"
#include "troupe/base/check.h"

namespace troupe::actor {
namespace {

void fire(TimerNode& node) noexcept {
  auto& timer = static_cast<ActorTimer&>(node);
  Cell& cell = *timer.cell;
  Core& core = *cell.owner;
  timer.due = timer.period > Duration::zero() ? core.now() + timer.period : Instant::never();
  if (timer.due != Instant::never()) core.timers().arm(timer, timer.due);
  // A tick that has not been handled yet stands for this one too, so a slow actor is not buried in its own ticks. A
  // message that is not admitted may end the timer.
  if (!timer.queued) core.admit(cell, timer.make(core));
}

}  // namespace

ActorTimer::ActorTimer() : TimerNode(fire) {}

void lifecycle::forget_timer(ActorTimer& timer) noexcept {
  Core& core = *timer.cell->owner;
  timer.cell->extras->timers.remove(&timer);
  core.timers().disarm(timer);
  if (timer.queued) {
    timer.cancelled = true;
  } else {
    timer.dispose(core);
  }
}

namespace detail {

bool TimerTicket::give_back() noexcept {
  ActorTimer& timer = *std::exchange(timer_, nullptr);
  timer.queued = false;
  if (timer.cancelled) {
    timer.dispose(*timer.cell->owner);
    return false;
  }
  if (timer.period == Duration::zero()) lifecycle::forget_timer(timer);
  return true;
}

void start_timer(Cell& cell, ActorTimer& timer, std::string_view key, Duration delay, Duration period) {
  if (!key.empty()) static_cast<Context&>(cell).cancel(key);
  timer.cell = &cell;
  timer.key = key;
  timer.period = period;
  timer.due = cell.owner->now() + delay;
  // What is told again and again outlives whatever it began in.
  const Span* span = cell.owner->span();
  if (span != nullptr && period == Duration::zero()) timer.trace = std::make_unique<base::TraceContext>(span->context);
  cell.owner->timers().arm(timer, timer.due);
  cell.more().timers.push(&timer);
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
base::Instant Context::deadline() const noexcept { return core().deadline(); }
bool Context::cancelled() const noexcept {
  const Activation* handler = core().running();
  return (handler != nullptr && handler->unwanted) || deadline() <= core().read_clock();
}
Shield Context::shield() const noexcept { return Shield{core().running()}; }
base::Instant Context::now() const noexcept { return core().now(); }
base::UnixTime Context::wall() const noexcept { return core().wall(); }
base::Random& Context::random() const noexcept { return core().random(); }
void Context::stop() noexcept { lifecycle::request_stop(&core(), address()); }
void Context::drain() noexcept { lifecycle::request_drain(&core(), address()); }
void Context::trace(const base::TraceContext& parent, std::string name) {
  INVARIANT(core().running() != nullptr || core().span() != nullptr, "a trace begins in a coroutine, which ends it");
  core().open_span(parent, std::move(name), true);
}
std::optional<base::TraceContext> Context::trace_context() const noexcept {
  const Span* span = core().span();
  return span != nullptr ? std::optional{span->context} : std::nullopt;
}
void Context::measure(bool on) {
  Cell& cell = cell_of(*this);
  if (on == (cell.extras && cell.extras->handling_time)) return;
  cell.more().handling_time = on ? std::make_unique<HandlingTime>() : nullptr;
}
Entry Context::entry() const noexcept { return Entry{address()}; }

void Context::unstash_all() noexcept {
  Cell& cell = cell_of(*this);
  mailbox::unstash_all(*cell.owner, cell);
}
std::size_t Context::stashed() const noexcept {
  const Cell& cell = cell_of(*this);
  return cell.extras ? cell.extras->stashed : 0;
}

void Context::cancel(std::string_view key) noexcept {
  Cell& cell = cell_of(*this);
  if (!cell.extras) return;
  for (ActorTimer* timer = cell.extras->timers.first; timer != nullptr; timer = timer->next) {
    if (timer->key == key) {
      lifecycle::forget_timer(*timer);
      return;
    }
  }
}

}  // namespace troupe::actor
