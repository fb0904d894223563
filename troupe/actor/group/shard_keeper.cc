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

template <class T>
void ShardKeeper::tell_all(Core& core, const T& message) const {
  for (std::size_t place = 0; place < map_->places(); ++place) send_to_port(core, map_->address(place), T{message});
}

// Only the first incarnation spawns regions: its successors have inherited them, with their addresses.
void ShardKeeper::started(Context& context) {
  Cell& cell = cell_of(context);
  lifecycle::keep_children(cell);
  if (book_->owners.empty()) book_->owners = map_->first_owners();
  for (std::size_t& place = book_->regions; place < map_->places(); ++place) {
    lifecycle::spawn(*cell.owner, cell,
                     {.cell = map_->address(place).cell,
                      .type = &type_of<ShardRegion>,
                      .body = make_body<ShardRegion>(map_, std::size_t{place}, context.self(this)),
                      // A region left behind would leave a hole: the time of the whole bounds it.
                      .options = {.name = fmt::format("core-{}", place),
                                  .shutdown = Duration::max(),
                                  .supervision = map_->options().supervision}});
  }
  const ShardBalance& balance = map_->options().balance;
  if (balance.every > Duration::zero() && map_->kind().migrates) {
    context.every(this, "balance", balance.every, CompareLoads{});
  }
}

void ShardKeeper::inspect(Inspection& out) const {
  out.add("shards", book_->owners.size());
  out.add("moving", book_->moves.size());
  out.add("moved", book_->moved);
}

// ---- moving ----

void ShardKeeper::begin(Core& core, std::uint32_t shard, std::size_t to, Reply<void, MoveError> reply) {
  book_->moves.emplace(shard, ShardBook::Move{book_->owners[shard], to, std::move(reply)});
  send_to_port(core, map_->address(to), PrepareShard{shard});
}

void ShardKeeper::end_move(Core& core, std::uint32_t shard) {
  book_->moves.erase(shard);
  try_drain(core);
}

void ShardKeeper::handle(MoveShard message, Reply<void, MoveError> reply, Context& context) {
  const auto to = static_cast<std::size_t>(message.core);
  if (message.shard >= book_->owners.size() || to >= map_->places()) return reply.fail(MoveError::no_such_place);
  if (book_->drains) return reply.fail(MoveError::is_draining);
  if (book_->moves.contains(message.shard)) return reply.fail(MoveError::is_moving);
  if (book_->owners[message.shard] == to) return reply.set();
  begin(context.core(), message.shard, to, std::move(reply));
}

int ShardKeeper::handle(LocateShard message) const {
  return message.shard < book_->owners.size() ? book_->owners[message.shard] : -1;
}

void ShardKeeper::handle(ShardPrepared message, Context& context) {
  const ShardBook::Move& move = book_->moves.at(message.shard);
  send_to_port(context.core(), map_->address(move.from), HandShardOver{message.shard, move.to});
}

void ShardKeeper::handle(ShardHandedOver message, Context& context) {
  ShardBook::Move& move = book_->moves.at(message.shard);
  if (message.refused) {
    send_to_port(context.core(), map_->address(move.to), CancelShard{message.shard});
    move.reply.fail(*message.refused);
    return end_move(context.core(), message.shard);
  }
  book_->owners[message.shard] = static_cast<std::uint8_t>(move.to);
  tell_all(context.core(), ShardMoved{message.shard, move.from, move.to});
}

void ShardKeeper::handle(ShardOpened message, Context& context) {
  ++book_->moved;
  book_->moves.at(message.shard).reply.set();
  end_move(context.core(), message.shard);
}

// ---- draining ----

void ShardKeeper::handle(DrainShards, Context& context) {
  book_->drains = true;
  try_drain(context.core());
}

/// Where a shard is on its way, when it has come to its end.
void ShardKeeper::try_drain(Core& core) {
  if (!book_->drains || !book_->moves.empty() || std::exchange(book_->ports_drain, true)) return;
  tell_all(core, DrainPort{});
}

void ShardKeeper::handle(PortDrained, Context& context) {
  if (++book_->drained == map_->places()) lifecycle::has_drained(cell_of(context));
}

// ---- balancing ----

void ShardKeeper::handle(CompareLoads, Context& context) {
  book_->loads.assign(book_->owners.size(), 0);
  book_->reports = 0;
  tell_all(context.core(), ReportLoads{});
}

void ShardKeeper::handle(ShardLoads message, Context& context) {
  ShardBook& book = *book_;
  for (std::size_t shard = 0; shard < book.loads.size(); ++shard) book.loads[shard] += message.delivered[shard];
  if (++book.reports != map_->places()) return;
  const ShardBalance& balance = map_->options().balance;
  const auto choice = choose_shard(book.owners, book.loads, map_->places(), balance.tolerance);
  if (!choice) {
    book.impatience = 0;
    return;
  }
  if (++book.impatience < balance.patience || !book.moves.empty() || book.drains) return;
  book.impatience = 0;
  begin(context.core(), choice->shard, choice->to, {});
}

}  // namespace troupe::actor::detail
