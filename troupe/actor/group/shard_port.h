// Shard port: one core's part of a Shards. It knows which core owns each shard, has the entities of its own, and lets
// shards come and go without a message overtaking another of its sender.
//
// A shard goes from core X to core Y like this. Y prepares for it. X waits until its entities
// are between two messages, sends them over, and passes on whatever still comes. Then each core
// S learns of it, sends straight to Y from now on, and behind its last message to X a flush
// token, which X passes on too. Y holds what comes straight from S until S's token has come
// through X. When all tokens have come the move is over; one shard makes one move at a time.
//
// Shards drain like this, when no shard is on its way: each port takes no more of its own core's
// messages, and tells all ports so, behind its last one. Where all have said so, all is there that
// will come, and the entities drain. The shards end when no port has an entity left.
//
// Owned by its ShardMap; used on its core only, by the region actor that the core's entities
// are children of. It outlives that actor's incarnations.
#pragma once

#include <map>

#include "troupe/actor/group/shard_map.h"
#include "troupe/actor/runtime/control.h"

namespace troupe::actor::detail {

class ShardKeeper;

/// One that moved, for the port where it arrives.
struct Immigrant {
  std::string key;
  std::uint64_t hash;
  Address address;
};

class ShardPort final : public Forwarder {
 public:
  ShardPort(const ShardMap& map, std::size_t place);
  ShardPort(const ShardPort&) = delete;

  void open(Cell& region, Ref<ShardKeeper> keeper);
  void close() noexcept;

  Sent forward(Core& core, Cell& region, Envelope* envelope) override;
  /// All shards drain, whichever port is asked.
  void drain(Core& core, Cell& region) override;
  /// A message to an entity, from this core or from the port of another.
  Sent take(Core& core, Envelope* envelope, ShardHeader& header);

  // ---- what ports and the keeper tell it ----
  void prepare(std::uint32_t shard);
  void cancel(std::uint32_t shard);
  void hand_over(std::uint32_t shard, std::size_t to);
  void arrived(std::uint32_t shard, std::size_t from, std::vector<Immigrant> entities);
  void moved(std::uint32_t shard, std::size_t from, std::size_t to);
  void flushed(std::uint32_t shard, std::size_t source);
  void report_loads();
  void drain_port();
  void port_closed();
  void entity_ended(Address address);

  std::size_t entity_count() const noexcept { return by_id_.size(); }
  std::size_t shard_count() const noexcept { return static_cast<std::size_t>(std::ranges::count(owners_, place_)); }

 private:
  using Key = std::pair<std::uint64_t, std::string>;  // the hash first: it nearly always decides
  struct ByKey {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
      return a.first != b.first ? a.first < b.first : std::string_view{a.second} < std::string_view{b.second};
    }
  };
  using Entities = std::map<Key, Entity, ByKey>;
  struct Place {
    std::uint32_t shard;
    Entities::iterator at;
  };
  struct Arrival {
    std::vector<bool> flushed;  // by source
    EnvelopeList held;          // came straight from a source whose token has not come
    std::uint32_t held_count = 0;
  };
  struct Departure {
    std::size_t to;
    Instant give_up;
  };
  struct Clock : TimerNode {
    Clock(ShardPort& its_port, Fire fire) : TimerNode(fire), port(its_port) {}
    ShardPort& port;
  };

  Core& core() const noexcept { return *region_->owner; }
  Sent accept(Core& core, Envelope* envelope, ShardHeader& header);
  Sent deliver(Core& core, Envelope* envelope, ShardHeader& header);
  void create(std::uint32_t shard, Entities::iterator at);
  void settle_in(std::uint32_t shard, Entities::iterator at);
  void try_departures();
  void depart(std::uint32_t shard, std::size_t to);
  void block(std::uint32_t shard, bool blocked);
  void sweep();
  bool is_last_call() const noexcept { return ports_closed_ == map_.places(); }
  void look_whether_drained();

  const ShardMap& map_;
  const std::uint8_t place_;
  Cell* region_ = nullptr;
  Ref<ShardKeeper> keeper_;
  std::vector<std::uint8_t> owners_;  // by shard, as far as this core knows
  std::vector<Entities> entities_;    // by shard
  std::map<ActorId, Place> by_id_;
  std::map<std::uint32_t, Arrival> arrivals_;
  std::map<std::uint32_t, Departure> departures_;
  std::vector<std::uint32_t> delivered_;  // by shard, since the last report
  std::uint32_t sweeps_ = 0;
  bool closed_ = false;           // to messages of its own core
  std::size_t ports_closed_ = 0;  // that have said so
  bool drained_ = false;          // the keeper knows
  Clock sweeping_;
  Clock departing_;
};

/// A message to a port, a struct with `apply(ShardPort&)`; taken at admission.
template <class T>
inline constexpr ShardHandler port_handler{{
                                               .invoke = [](Core&, Cell*, Envelope&) {},
                                               .destroy = destroy_message<T>,
                                               .message = T::name,
                                               .message_class = MessageClass::control,
                                           },
                                           [](ShardPort& port, Core& core, Envelope* envelope) {
                                             T message = std::move(envelope->message<T>());
                                             core.destroy(envelope);
                                             message.apply(port);
                                             return Sent::sent;
                                           }};

template <class T>
void send_to_port(Core& here, Address port, T message) {
  Core::submit(&here, *port.cell->owner, here.make(port_handler<T>, port, std::move(message)));
}

struct PrepareShard {
  static constexpr std::string_view name = "prepare for a shard";
  std::uint32_t shard;
  void apply(ShardPort& port) const { port.prepare(shard); }
};
struct CancelShard {
  static constexpr std::string_view name = "the shard does not come";
  std::uint32_t shard;
  void apply(ShardPort& port) const { port.cancel(shard); }
};
struct HandShardOver {
  static constexpr std::string_view name = "hand a shard over";
  std::uint32_t shard;
  std::size_t to;
  void apply(ShardPort& port) const { port.hand_over(shard, to); }
};
struct ShardArrived {
  static constexpr std::string_view name = "a shard has arrived";
  std::uint32_t shard;
  std::size_t from;
  std::vector<Immigrant> entities;
  void apply(ShardPort& port) { port.arrived(shard, from, std::move(entities)); }
};
struct ShardMoved {
  static constexpr std::string_view name = "a shard has moved";
  std::uint32_t shard;
  std::size_t from;
  std::size_t to;
  void apply(ShardPort& port) const { port.moved(shard, from, to); }
};
struct FlushShard {
  static constexpr std::string_view name = "the last of a source";
  std::uint32_t shard;
  std::size_t source;
  void apply(ShardPort& port) const { port.flushed(shard, source); }
};
struct DrainPort {
  static constexpr std::string_view name = "drain the entities";
  void apply(ShardPort& port) const { port.drain_port(); }
};
struct PortClosed {
  static constexpr std::string_view name = "no more of this core";
  void apply(ShardPort& port) const { port.port_closed(); }
};
struct ReportLoads {
  static constexpr std::string_view name = "report loads";
  void apply(ShardPort& port) const { port.report_loads(); }
};

}  // namespace troupe::actor::detail
