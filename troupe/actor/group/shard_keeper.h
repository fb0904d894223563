// Shard keeper: knows where each shard of one Shards lives, and moves them, one move a shard at a time.
//
// The parent of the regions, which are the parents of the entities on their cores. See
// shard_port.h for how a shard moves. Restarted with its siblings it keeps the regions, whose
// addresses every core knows, and what it knows of shards and moves: the entities begin anew, each
// where its shard is, and a move goes on or is refused.
#pragma once

#include "troupe/actor/group/shard_port.h"

namespace troupe::actor {

enum class MoveError : std::uint8_t {
  no_such_place,  // there is no such shard, or no such core
  is_moving,      // one move at a time
  is_busy,        // an entity was suspended in a handler, or had an end of a stream, all the time
  has_children,   // an entity with children stays where they are
  is_draining,    // the shards are about to end
};

struct MoveShard {
  std::uint32_t shard;
  int core;
  using reply = void;
  using error = MoveError;
};

struct LocateShard {
  std::uint32_t shard;
  using reply = int;
};

namespace detail {

struct ShardPrepared {
  static constexpr auto message_class = MessageClass::control;
  std::uint32_t shard;
};
struct ShardHandedOver {
  static constexpr auto message_class = MessageClass::control;
  std::uint32_t shard;
  std::optional<MoveError> refused;
};
struct ShardOpened {
  static constexpr auto message_class = MessageClass::control;
  std::uint32_t shard;
};
struct ShardLoads {
  static constexpr auto message_class = MessageClass::control;
  std::vector<std::uint32_t> delivered;  // by shard
};
struct DrainShards {
  static constexpr auto message_class = MessageClass::control;
};
struct PortDrained {
  static constexpr auto message_class = MessageClass::control;
};
struct CompareLoads {};

/// The parent of one core's entities.
class ShardRegion {
 public:
  static constexpr std::string_view actor_type = "ShardRegion";
  ShardRegion(std::shared_ptr<ShardMap> map, std::size_t place, Ref<ShardKeeper> keeper)
      : map_(std::move(map)), place_(place), keeper_(keeper) {}
  ShardRegion(const ShardRegion&) = delete;
  ~ShardRegion() { port().close(); }
  void started(Context& context) { port().open(cell_of(context), keeper_); }
  void inspect(Inspection& out) const;
  ShardPort& port() const noexcept { return map_->port(place_); }

 private:
  std::shared_ptr<ShardMap> map_;
  std::size_t place_;
  Ref<ShardKeeper> keeper_;
};

/// What a keeper knows, for those of its incarnations to come too. Used by the keeper alone.
struct ShardBook {
  struct Move {
    std::size_t from;
    std::size_t to;
    Reply<void, MoveError> reply;
  };
  std::size_t regions = 0;  // that have been spawned
  std::vector<std::uint8_t> owners;
  std::map<std::uint32_t, Move> moves;
  std::vector<std::uint64_t> loads;
  std::size_t reports = 0;
  int impatience = 0;
  std::uint64_t moved = 0;
  bool drains = false;
  bool ports_drain = false;  // no shard moves any more, and the ports were told
  std::size_t drained = 0;   // ports
};

class ShardKeeper {
 public:
  static constexpr std::string_view actor_type = "Shards";
  ShardKeeper(std::shared_ptr<ShardMap> map, std::shared_ptr<ShardBook> book)
      : map_(std::move(map)), book_(std::move(book)) {}
  ShardKeeper(const ShardKeeper&) = delete;

  void started(Context& context);
  void inspect(Inspection& out) const;
  void handle(MoveShard message, Reply<void, MoveError> reply, Context& context);
  int handle(LocateShard message) const;
  void handle(ShardPrepared message, Context& context);
  void handle(ShardHandedOver message, Context& context);
  void handle(ShardOpened message, Context& context);
  void handle(CompareLoads message, Context& context);
  void handle(ShardLoads message, Context& context);
  void handle(DrainShards message, Context& context);
  void handle(PortDrained message, Context& context);

 private:
  template <class T>
  void tell_all(Core& core, const T& message) const;
  void begin(Core& core, std::uint32_t shard, std::size_t to, Reply<void, MoveError> reply);
  void end_move(Core& core, std::uint32_t shard);
  void try_drain(Core& core);

  std::shared_ptr<ShardMap> map_;
  std::shared_ptr<ShardBook> book_;
};

struct ShardChoice {
  std::uint32_t shard;
  std::size_t to;
};
/// The hottest shard of the busiest core whose move to the idlest makes the busiest less busy; nothing while the
/// busiest is within `tolerance` of the mean.
std::optional<ShardChoice> choose_shard(const std::vector<std::uint8_t>& owners,
                                        const std::vector<std::uint64_t>& loads, std::size_t places, double tolerance);

}  // namespace detail
}  // namespace troupe::actor
