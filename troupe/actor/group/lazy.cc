// See lazy.h.
#include "troupe/actor/group/lazy.h"

#include "troupe/actor/runtime/control.h"

namespace troupe::actor::detail {
namespace {

constexpr Handler entity_ended_handler{
    .invoke =
        [](Core&, Cell* cell, Envelope& envelope) {
          if (cell->type != &type_of<LazyGate> || cell->object == nullptr) return;
          static_cast<LazyGate*>(cell->object)->entity_ended(envelope.message<Terminated>().who);
        },
    .destroy = destroy_message<Terminated>,
    .message = "the lazy actor has ended",
    .message_class = MessageClass::control,
    .runtime = true,
};

}  // namespace

LazyGate::Clock::Clock(LazyGate& its_gate)
    : TimerNode([](TimerNode& node) noexcept { static_cast<Clock&>(node).gate.look(); }), gate(its_gate) {}

LazyGate::~LazyGate() {
  if (cell_ == nullptr) return;
  forwarding::close(*cell_);
  drop_held(*cell_, entity_.held);
  if (draining_) forwarding::stays_drained(*cell_);
}

void LazyGate::started(Context& context) {
  cell_ = &cell_of(context);
  forwarding::open(*cell_->owner, *cell_, *this);
}

void LazyGate::inspect(Inspection& out) const {
  out.add("actor", !entity_.address ? "none" : entity_.leaving ? "leaving" : "there");
}

Sent LazyGate::forward(Core& core, Cell& cell, Envelope* envelope) {
  if (draining_) [[unlikely]] {
    core.drop(envelope, &cell, Drop::stopped);
    return Sent::dead;
  }
  if (entity_.leaving) return hold(cell, entity_.held, entity_.held_count, envelope, forwarding::held_max);
  if (!entity_.address) create();
  return forwarding::pass_on(core, envelope, entity_.address);
}

void LazyGate::drain(Core& core, Cell& cell) {
  if (std::exchange(draining_, true)) return;
  if (!entity_.address) return lifecycle::has_drained(cell);
  if (!entity_.leaving) lifecycle::drain_last(core, entity_.address);
}

void LazyGate::create() {
  ActorOptions options = options_->actor;
  options.name = name_;
  Cell& cell = start_entity(*cell_, *kind_, std::move(options));
  cell.more().front = cell_->address();
  entity_.address = cell.address();
  watch_entity(*cell_, entity_.address, entity_ended_handler);
  const Duration after = options_->passivate_after;
  if (after > Duration::zero()) cell_->owner->timers().arm(sweeping_, cell_->owner->now() + after);
}

/// Puts the actor away if it has been idle for long enough; looks again when it may have been.
void LazyGate::look() {
  if (!entity_.address || entity_.leaving || !is_there(entity_)) return;
  const Cell& cell = *entity_.address.cell;
  const Duration after = options_->passivate_after;
  if (is_idle(cell, *kind_, after)) {
    passivate(*cell_, entity_);
    return;
  }
  Core& core = *cell_->owner;
  core.timers().arm(sweeping_, std::max(cell.last_activity + after, core.now() + after / 16));
}

void LazyGate::entity_ended(Address address) {
  if (address != entity_.address) return;
  Entity ended = std::exchange(entity_, {});
  Core& core = *cell_->owner;
  if (!ended.held.empty()) {
    create();
    while (Envelope* envelope = ended.held.pop()) forwarding::pass_on(core, envelope, entity_.address);
    if (draining_) lifecycle::drain_last(core, entity_.address);
  } else if (draining_) {
    lifecycle::has_drained(*cell_);
  }
}

}  // namespace troupe::actor::detail
