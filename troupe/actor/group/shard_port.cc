// See shard_port.h.
#include "troupe/actor/group/shard_port.h"

#include "troupe/actor/group/shard_keeper.h"
#include "troupe/actor/runtime/mailbox.h"
#include "troupe/actor/runtime/migrate.h"
#include "troupe/base/check.h"

namespace troupe::actor::detail {
namespace {

constexpr std::uint32_t arrival_held_max = 10'000;  // of a hot shard, while it moves
constexpr Duration departure_look = 1ms;            // how often a suspended entity is looked at
constexpr std::uint32_t sweep_parts = 4;            // a sweep looks at every fourth shard

ShardRegion* region_of(Cell& cell) noexcept {
  return cell.type == &type_of<ShardRegion> ? static_cast<ShardRegion*>(cell.object) : nullptr;
}

constexpr Handler entity_ended_handler{
    .invoke =
        [](Core&, Cell* cell, Envelope& envelope) {
          if (ShardRegion* region = region_of(*cell)) region->port().entity_ended(envelope.message<Terminated>().who);
        },
    .destroy = destroy_message<Terminated>,
    .message = "an entity has ended",
    .message_class = MessageClass::control,
    .runtime = true,
};

}  // namespace

ShardPort::ShardPort(const ShardMap& map, std::size_t place)
    : map_(map),
      place_(static_cast<std::uint8_t>(place)),
      owners_(map.first_owners()),
      entities_(map.options().count),
      delivered_(map.options().count),
      sweeping_(*this, [](TimerNode& node) noexcept { static_cast<Clock&>(node).port.sweep(); }),
      departing_(*this, [](TimerNode& node) noexcept { static_cast<Clock&>(node).port.try_departures(); }) {}

void ShardPort::open(Cell& region, Ref<ShardKeeper> keeper) {
  region_ = &region;
  keeper_ = keeper;
  forwarding::open(core(), region, *this);
  look_whether_drained();
}

/// The region's incarnation ends, and with it all its entities have.
void ShardPort::close() noexcept {
  if (region_ == nullptr) return;
  forwarding::close(*region_);
  core().timers().disarm(sweeping_);
  core().timers().disarm(departing_);
  for (auto& entities : entities_) {
    for (auto& [key, entity] : entities) drop_held(*region_, entity.held);
    entities.clear();
  }
  by_id_.clear();
  // A region that starts again goes on with a move; one that ends does not, and leaves nothing behind.
  if (region_->state != CellState::restarting) {
    for (auto& [shard, arrival] : arrivals_) drop_held(*region_, arrival.held);
    arrivals_.clear();
  } else {
    for (const auto& [shard, departure] : departures_) keeper_.tell(ShardHandedOver{shard, MoveError::is_busy});
  }
  departures_.clear();
}

// ---- messages to entities ----

Sent ShardPort::forward(Core& core, Cell&, Envelope* envelope) {
  return static_cast<const ShardHandler*>(envelope->handler)->take(*this, core, envelope);
}

Sent ShardPort::take(Core& core, Envelope* envelope, ShardHeader& header) {
  if (header.source != ShardHeader::no_source) return accept(core, envelope, header);
  if (closed_) [[unlikely]] {
    core.drop(envelope, region_, Drop::stopped);
    return Sent::dead;
  }
  header.source = place_;
  const std::uint8_t owner = owners_[header.shard];
  if (owner != place_) return forwarding::pass_on(core, envelope, map_.address(owner));
  return accept(core, envelope, header);
}

Sent ShardPort::accept(Core& core, Envelope* envelope, ShardHeader& header) {
  if (!arrivals_.empty()) [[unlikely]] {
    const auto arrival = arrivals_.find(header.shard);
    if (arrival != arrivals_.end()) {
      if (header.passed_on || arrival->second.flushed[header.source]) return deliver(core, envelope, header);
      return hold(*region_, arrival->second.held, arrival->second.held_count, envelope, arrival_held_max);
    }
  }
  const std::uint8_t owner = owners_[header.shard];
  if (owner == place_) return deliver(core, envelope, header);
  header.passed_on = true;
  return forwarding::pass_on(core, envelope, map_.address(owner));
}

Sent ShardPort::deliver(Core& core, Envelope* envelope, ShardHeader& header) {
  Entities& entities = entities_[header.shard];
  auto at = entities.find(std::pair{header.hash, std::string_view{header.key}});
  if (at == entities.end()) {
    at = entities.try_emplace(Key{header.hash, header.key}).first;
    create(header.shard, at);
  }
  Entity& entity = at->second;
  if (entity.leaving) return hold(*region_, entity.held, entity.held_count, envelope, forwarding::held_max);
  ++delivered_[header.shard];
  return forwarding::pass_on(core, envelope, entity.address);
}

// ---- entities ----

void ShardPort::create(std::uint32_t shard, Entities::iterator at) {
  ActorOptions options = map_.options().entity;
  options.name = at->first.second;
  Cell& cell = start_entity(*region_, map_.kind(), std::move(options));
  Entity& entity = at->second;
  entity = Entity{.address = cell.address(), .blocked = departures_.contains(shard)};
  if (entity.blocked) ++cell.exclusive;
  settle_in(shard, at);
}

/// What is done for one that is new here, made or moved in.
void ShardPort::settle_in(std::uint32_t shard, Entities::iterator at) {
  const Address address = at->second.address;
  watch_entity(*region_, address, entity_ended_handler);
  by_id_.emplace(lifecycle::id_of(address), Place{shard, at});
  const Duration idle = map_.options().passivate_after;
  if (idle > Duration::zero() && !sweeping_.armed()) core().timers().arm(sweeping_, core().now() + idle / 16);
}

void ShardPort::entity_ended(Address address) {
  const auto found = by_id_.find(lifecycle::id_of(address));
  if (found == by_id_.end()) return;
  const auto [shard, at] = found->second;
  by_id_.erase(found);
  EnvelopeList held = at->second.held.take();
  if (held.empty()) {
    entities_[shard].erase(at);
    look_whether_drained();
    return;
  }
  create(shard, at);
  while (Envelope* envelope = held.pop()) forwarding::pass_on(core(), envelope, at->second.address);
  if (is_last_call()) lifecycle::drain_last(core(), at->second.address);
}

void ShardPort::sweep() {
  for (std::uint32_t shard = sweeps_++ % sweep_parts; shard < entities_.size(); shard += sweep_parts) {
    if (departures_.contains(shard)) continue;
    for (auto& [key, entity] : entities_[shard]) {
      if (entity.leaving || !is_there(entity)) continue;
      if (is_idle(*entity.address.cell, map_.kind(), map_.options().passivate_after)) passivate(*region_, entity);
    }
  }
  if (!by_id_.empty()) core().timers().arm(sweeping_, core().now() + map_.options().passivate_after / 16);
}

// ---- a shard comes ----

void ShardPort::prepare(std::uint32_t shard) {
  arrivals_[shard].flushed.resize(map_.places());
  keeper_.tell(ShardPrepared{shard});
}

void ShardPort::cancel(std::uint32_t shard) { arrivals_.erase(shard); }

void ShardPort::arrived(std::uint32_t shard, std::size_t from, std::vector<Immigrant> entities) {
  for (Immigrant& one : entities) {
    const auto at = entities_[shard].try_emplace(Key{one.hash, std::move(one.key)}).first;
    at->second = Entity{.address = one.address};
    settle_in(shard, at);
  }
  flushed(shard, from);  // what its own actors have sent to it since comes behind
}

void ShardPort::flushed(std::uint32_t shard, std::size_t source) {
  const auto at = arrivals_.find(shard);
  if (at == arrivals_.end()) {  // the shard has left this core: so does the token
    send_to_port(core(), map_.address(owners_[shard]), FlushShard{shard, source});
    return;
  }
  Arrival& arrival = at->second;
  arrival.flushed[source] = true;
  EnvelopeList others;
  arrival.held_count = 0;
  EnvelopeList held = arrival.held.take();
  while (Envelope* envelope = held.pop()) {
    ShardHeader& header = static_cast<const KeyedHandler*>(envelope->handler)->header(*envelope);
    if (header.source == source) {
      deliver(core(), envelope, header);
    } else {
      others.push(envelope);
      ++arrival.held_count;
    }
  }
  arrival.held = others;
  if (std::ranges::find(arrival.flushed, false) != arrival.flushed.end()) return;
  arrivals_.erase(at);
  keeper_.tell(ShardOpened{shard});
}

// ---- a shard goes ----

void ShardPort::hand_over(std::uint32_t shard, std::size_t to) {
  const Departure departure{to, core().now() + map_.options().move_within};
  departures_.emplace(shard, departure);
  block(shard, true);
  try_departures();
}

/// Entities of a shard that leaves begin no further message; what is suspended in them goes on. One that has ended is
/// left alone: the next of its key is made as the shard is then.
void ShardPort::block(std::uint32_t shard, bool blocked) {
  for (auto& [key, entity] : entities_[shard]) {
    if (entity.blocked == blocked || !is_there(entity)) continue;
    entity.blocked = blocked;
    Cell& cell = *entity.address.cell;
    if (blocked) {
      ++cell.exclusive;
    } else {
      --cell.exclusive;
      core().schedule(cell);
    }
  }
}

void ShardPort::try_departures() {
  for (auto at = departures_.begin(); at != departures_.end();) {
    const auto [shard, departure] = *at;
    const auto& entities = entities_[shard];
    const auto stays = [](const auto& entry) {
      return is_there(entry.second) && migration::is_bound(*entry.second.address.cell);
    };
    const auto ready = [](const auto& entry) {
      const Entity& entity = entry.second;
      return !entity.leaving && is_there(entity) && migration::may_go(*entity.address.cell);
    };
    std::optional<MoveError> refused;
    if (std::ranges::any_of(entities, stays)) {
      refused = MoveError::has_children;
    } else if (!std::ranges::all_of(entities, ready)) {
      if (core().now() < departure.give_up) {
        ++at;
        continue;
      }
      refused = MoveError::is_busy;
    }
    at = departures_.erase(at);
    if (refused) {
      block(shard, false);
    } else {
      depart(shard, departure.to);
    }
    keeper_.tell(ShardHandedOver{shard, refused});
  }
  if (!departures_.empty()) core().timers().arm(departing_, core().now() + departure_look);
}

void ShardPort::depart(std::uint32_t shard, std::size_t to) {
  Entities entities = std::exchange(entities_[shard], {});
  std::vector<Immigrant> moved;
  for (auto& [key, entity] : entities) {
    by_id_.erase(lifecycle::id_of(entity.address));
    Core& there = core().host().core(to);
    const Address now =
        migration::go(core(), *entity.address.cell, there, map_.address(to), map_.options().entity.mailbox);
    moved.push_back({key.second, key.first, now});
  }
  owners_[shard] = static_cast<std::uint8_t>(to);
  send_to_port(core(), map_.address(to), ShardArrived{shard, place_, std::move(moved)});
}

void ShardPort::moved(std::uint32_t shard, std::size_t from, std::size_t to) {
  if (from == place_) return;  // it knows since it let the shard go
  owners_[shard] = static_cast<std::uint8_t>(to);
  send_to_port(core(), map_.address(from), FlushShard{shard, place_});
}

// ---- draining ----

void ShardPort::drain(Core&, Cell&) { keeper_.tell(DrainShards{}); }

void ShardPort::drain_port() {
  closed_ = true;
  for (std::size_t place = 0; place < map_.places(); ++place) send_to_port(core(), map_.address(place), PortClosed{});
}

void ShardPort::port_closed() {
  ++ports_closed_;
  if (!is_last_call()) return;
  for (auto& entities : entities_) {
    for (auto& [key, entity] : entities) {
      if (!entity.leaving) lifecycle::drain_last(core(), entity.address);
    }
  }
  look_whether_drained();
}

void ShardPort::look_whether_drained() {
  if (!is_last_call() || !by_id_.empty() || std::exchange(drained_, true)) return;
  keeper_.tell(PortDrained{});
}

void ShardPort::report_loads() {
  keeper_.tell(ShardLoads{std::exchange(delivered_, std::vector<std::uint32_t>(delivered_.size()))});
}

}  // namespace troupe::actor::detail
