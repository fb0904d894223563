// See shard_map.h.
#include "troupe/actor/group/shard_map.h"

#include "troupe/actor/group/shard_port.h"
#include "troupe/base/check.h"

namespace troupe::actor::detail {

ShardMap::ShardMap(Host& host, ShardOptions options, EntityKind kind)
    : options_(std::move(options)), kind_(std::move(kind)) {
  INVARIANT(options_.count > 0, "there is at least one shard");
  const std::size_t places = host.core_count();
  owners_.resize(options_.count);
  for (std::uint32_t shard = 0; shard < options_.count; ++shard) {
    const std::size_t place = options_.placement ? options_.placement->place_of(shard, places) : shard % places;
    INVARIANT(place < places, "a shard is placed where there is a place");
    owners_[shard] = static_cast<std::uint8_t>(place);
  }
  // The ports' addresses hold from now on; what is told before they have started waits there.
  for (std::size_t place = 0; place < places; ++place) {
    addresses_.push_back(host.core(place).reserve_remotely(forwarding::mailbox).address());
  }
  for (std::size_t place = 0; place < places; ++place) ports_.push_back(std::make_unique<ShardPort>(*this, place));
}

ShardMap::~ShardMap() = default;

}  // namespace troupe::actor::detail
