// See shard_keeper.h.
#include "troupe/actor/group/shard_keeper.h"

#include <fmt/format.h>

namespace troupe::actor::detail {

std::optional<ShardChoice> choose_shard(const std::vector<std::uint8_t>& owners,
                                        const std::vector<std::uint64_t>& loads, std::size_t places, double tolerance) {
  std::vector<std::uint64_t> by_place(places);
  std::uint64_t sum = 0;
  for (std::size_t shard = 0; shard < owners.size(); ++shard) {
    by_place[owners[shard]] += loads[shard];
    sum += loads[shard];
  }
  const auto busiest = static_cast<std::size_t>(std::ranges::max_element(by_place) - by_place.begin());
  const auto idlest = static_cast<std::size_t>(std::ranges::min_element(by_place) - by_place.begin());
  const double mean = static_cast<double>(sum) / static_cast<double>(places);
  if (static_cast<double>(by_place[busiest]) <= mean * tolerance) return std::nullopt;
  std::optional<ShardChoice> best;
  for (std::uint32_t shard = 0; shard < owners.size(); ++shard) {
    const bool helps =
        owners[shard] == busiest && loads[shard] > 0 && by_place[idlest] + loads[shard] < by_place[busiest];
    if (helps && (!best || loads[shard] > loads[best->shard])) best = ShardChoice{shard, idlest};
  }
  return best;
}

void ShardRegion::inspect(Inspection& out) const {
  out.add("shards", port().shard_count());
  out.add("entities", port().entity_count());
}

ShardKeeper::ShardKeeper(std::shared_ptr<ShardMap> map) : map_(std::move(map)), owners_(map_->first_owners()) {}

void ShardKeeper::started(Context& context) {
  Cell& cell = cell_of(context);
  for (std::size_t place = 0; place < map_->places(); ++place) {
    lifecycle::spawn(*cell.owner, cell,
                     {.cell = map_->address(place).cell,
                      .type = &type_of<ShardRegion>,
                      .body = make_body<ShardRegion>(map_, place, context.self(this)),
                      .options = {.name = fmt::format("core-{}", place), .supervision = map_->options().supervision}});
  }
  const ShardBalance& balance = map_->options().balance;
  if (balance.every > Duration::zero() && map_->kind().migrates) {
    context.every(this, "balance", balance.every, CompareLoads{});
  }
}

void ShardKeeper::inspect(Inspection& out) const {
  out.add("shards", owners_.size());
  out.add("moving", moves_.size());
  out.add("moved", moved_);
}

// ---- moving ----

void ShardKeeper::begin(Core& core, std::uint32_t shard, std::size_t to, Reply<void, MoveError> reply) {
  moves_.emplace(shard, Move{owners_[shard], to, std::move(reply)});
  send_to_port(core, map_->address(to), PrepareShard{shard});
}

void ShardKeeper::handle(MoveShard message, Reply<void, MoveError> reply, Context& context) {
  const auto to = static_cast<std::size_t>(message.core);
  if (message.shard >= owners_.size() || to >= map_->places()) return reply.fail(MoveError::no_such_place);
  if (moves_.contains(message.shard)) return reply.fail(MoveError::is_moving);
  if (owners_[message.shard] == to) return reply.set();
  begin(context.core(), message.shard, to, std::move(reply));
}

int ShardKeeper::handle(LocateShard message) const {
  return message.shard < owners_.size() ? owners_[message.shard] : -1;
}

void ShardKeeper::handle(ShardPrepared message, Context& context) {
  const Move& move = moves_.at(message.shard);
  send_to_port(context.core(), map_->address(move.from), HandShardOver{message.shard, move.to});
}

void ShardKeeper::handle(ShardHandedOver message, Context& context) {
  const auto at = moves_.find(message.shard);
  Move& move = at->second;
  if (message.refused) {
    send_to_port(context.core(), map_->address(move.to), CancelShard{message.shard});
    move.reply.fail(*message.refused);
    moves_.erase(at);
    return;
  }
  owners_[message.shard] = static_cast<std::uint8_t>(move.to);
  for (std::size_t place = 0; place < map_->places(); ++place) {
    send_to_port(context.core(), map_->address(place), ShardMoved{message.shard, move.from, move.to});
  }
}

void ShardKeeper::handle(ShardOpened message) {
  const auto at = moves_.find(message.shard);
  ++moved_;
  at->second.reply.set();
  moves_.erase(at);
}

// ---- balancing ----

void ShardKeeper::handle(CompareLoads, Context& context) {
  loads_.assign(owners_.size(), 0);
  reports_ = 0;
  for (std::size_t place = 0; place < map_->places(); ++place) {
    send_to_port(context.core(), map_->address(place), ReportLoads{});
  }
}

void ShardKeeper::handle(ShardLoads message, Context& context) {
  for (std::size_t shard = 0; shard < loads_.size(); ++shard) loads_[shard] += message.delivered[shard];
  if (++reports_ != map_->places()) return;
  const ShardBalance& balance = map_->options().balance;
  const auto choice = choose_shard(owners_, loads_, map_->places(), balance.tolerance);
  if (!choice) {
    impatience_ = 0;
    return;
  }
  if (++impatience_ < balance.patience || !moves_.empty()) return;
  impatience_ = 0;
  begin(context.core(), choice->shard, choice->to, {});
}

}  // namespace troupe::actor::detail
