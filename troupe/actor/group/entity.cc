// See entity.h.
#include "troupe/actor/group/entity.h"

#include "troupe/actor/runtime/control.h"
#include "troupe/actor/runtime/mailbox.h"

namespace troupe::actor::detail {
namespace {

struct SpawnEntity {
  static constexpr std::string_view name = "spawn an entity";
  Cell* cell;
  const ActorType* type;
  std::unique_ptr<Body> body;
  ActorOptions options;

  void apply(Core& core, Cell& owner) {
    lifecycle::spawn(core, owner, {.cell = cell, .type = type, .body = std::move(body), .options = std::move(options)});
  }
  void on_dead(Core& core) { lifecycle::give_up_reserved(&core, cell->address()); }
};

}  // namespace

Cell& start_entity(Cell& owner, const EntityKind& kind, ActorOptions options) {
  Core& core = *owner.owner;
  options.core = any_core;
  Cell& cell = core.reserve(options.mailbox);
  control::send(&core, owner.address(), SpawnEntity{&cell, kind.type, kind.body(options.name), std::move(options)});
  return cell;
}

void watch_entity(Cell& owner, Address entity, const Handler& handler) {
  lifecycle::request_watch(*owner.owner, owner.address(), handler, entity);
}

Sent hold(Cell& owner, EnvelopeList& held, std::uint32_t& count, Envelope* envelope, std::uint32_t max) {
  if (!forwarding::may_hold(*envelope, count, max)) {
    owner.owner->drop(envelope, &owner, Drop::full);
    return Sent::full;
  }
  held.push(envelope);
  ++count;
  return Sent::sent;
}

void drop_held(Cell& owner, EnvelopeList& held) noexcept {
  while (Envelope* envelope = held.pop()) owner.owner->drop(envelope, &owner, Drop::stopped);
}

bool is_idle(const Cell& cell, const EntityKind& kind, Duration passivate_after) {
  const bool runs = cell.state == CellState::running && cell.exclusive == 0;
  const bool has_something = cell.depth > 0 || cell.in_flight > 0 || !cell.control.empty();
  if (!runs || has_something) return false;
  if (cell.extras) {
    const CellExtras& extras = *cell.extras;
    if (extras.timers.first != nullptr || extras.children.first != nullptr || extras.stashed > 0) return false;
    if (extras.streams > 0 || extras.readers > 0) return false;
  }
  if (cell.owner->now() - cell.last_activity < passivate_after) return false;
  return kind.may_passivate == nullptr || kind.may_passivate(cell.object);
}

void passivate(Cell& owner, Entity& entity) {
  entity.leaving = true;
  lifecycle::request_stop(owner.owner, entity.address);
}

}  // namespace troupe::actor::detail
