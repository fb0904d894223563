// Shard map: what all cores know of one Shards: its options, its kind of entity, and the port of each core.
//
// Made once and never changed; what changes (which core owns which shard) each port knows for
// itself. `Placement` decides where shards live at first.
#pragma once

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "troupe/actor/group/entity.h"
#include "troupe/actor/key.h"

namespace troupe::actor {

/// Where a shard lives at first. A place is the port of a core today; the port of another node can be one as well,
/// since messages are only ever handed to a place's port.
class Placement {
 public:
  virtual ~Placement() = default;
  /// Below `places`. Called on the thread that makes the Shards, once for each shard.
  virtual std::size_t place_of(std::uint32_t shard, std::size_t places) const = 0;
};

/// Moves the hottest shards away from the busiest core.
struct ShardBalance {
  Duration every{};  // how often loads are compared; zero: never, since a move costs more than it brings by default
  double tolerance = 1.25;  // the busiest core's load over the mean, from which on it is too busy
  int patience = 3;         // so many times in a row, since a short peak is over before a move would be
};

struct ShardOptions {
  std::string name = "shards";
  std::uint32_t count = 256;        // many more than cores, so that load can be spread in small pieces
  Duration passivate_after = 2min;  // without a message; zero: never
  ActorOptions entity{};            // `name` and `core` are not looked at
  // Many share one supervisor, so one that fails for ever must not end the others.
  Supervision supervision{.intensity = {.restarts = std::numeric_limits<std::uint32_t>::max()},
                          .backoff = {.attempts_max = Backoff::unbounded}};
  std::shared_ptr<const Placement> placement{};  // empty: in turn
  Duration move_within = 1s;                     // how long a move waits until all is between two messages
  ShardBalance balance{};
};

namespace detail {

class ShardPort;

/// Goes with each message to an entity.
struct ShardHeader {
  static constexpr std::uint8_t no_source = 255;
  std::string key;
  std::uint64_t hash = 0;
  std::uint32_t shard = 0;
  std::uint8_t source = no_source;  // the core whose port it has left from
  bool passed_on = false;           // came by the core where the shard was before
};

/// A handler of what is sent to ports. All of it is taken at admission, so in the order in which it was sent.
struct ShardHandler : Handler {
  Sent (*take)(ShardPort& port, Core& core, Envelope* envelope);
};

/// Of messages to entities: how the header is found beside the message.
struct KeyedHandler : ShardHandler {
  ShardHeader& (*header)(Envelope& envelope);
};

class ShardMap {
 public:
  ShardMap(Host& host, ShardOptions options, EntityKind kind);
  ~ShardMap();
  ShardMap(const ShardMap&) = delete;

  const ShardOptions& options() const noexcept { return options_; }
  const EntityKind& kind() const noexcept { return kind_; }
  std::size_t places() const noexcept { return addresses_.size(); }
  Address address(std::size_t place) const noexcept { return addresses_[place]; }
  ShardPort& port(std::size_t place) const noexcept { return *ports_[place]; }
  const std::vector<std::uint8_t>& first_owners() const noexcept { return owners_; }

  /// The core of this system whose thread this is. Null on any other thread, another system's too.
  Core* here() const noexcept { return addresses_.front().cell->owner->host().here(); }
  /// The port that messages from this core enter by; foreign threads use the first core's.
  Address port_for(const Core* here) const noexcept {
    return addresses_[here != nullptr ? static_cast<std::size_t>(here->index()) : 0];
  }
  std::uint32_t shard_of(std::uint64_t hash) const noexcept {
    return static_cast<std::uint32_t>(hash % options_.count);
  }
  std::uint32_t shard_of(std::string_view key) const noexcept { return shard_of(key_hash(key)); }
  ShardHeader header(const std::string& key) const {
    const std::uint64_t hash = key_hash(key);
    return {.key = key, .hash = hash, .shard = shard_of(hash)};
  }

 private:
  ShardOptions options_;
  EntityKind kind_;
  std::vector<std::uint8_t> owners_;
  std::vector<Address> addresses_;
  std::vector<std::unique_ptr<ShardPort>> ports_;
};

}  // namespace detail
}  // namespace troupe::actor
