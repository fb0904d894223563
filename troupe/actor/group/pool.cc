// See pool.h.
#include "troupe/actor/group/pool.h"

#include <fmt/format.h>

#include "troupe/actor/runtime/control.h"
#include "troupe/base/check.h"

namespace troupe::actor::detail {
namespace {

struct Resize {
  std::uint32_t size;
};

/// Travels as a user message, so that it waits for the pool's start with those told before it.
constexpr Handler resize_handler{
    .invoke =
        [](Core& core, Cell* cell, Envelope&) {
          core.host().report(fmt::format("{} is no pool and cannot be resized", lifecycle::path_of(*cell)));
        },
    .destroy = destroy_message<Resize>,
    .message = "resize",
    .message_class = MessageClass::control,
};

PoolRouter* router_of(Cell& cell) noexcept {
  return cell.type == &type_of<PoolRouter> ? static_cast<PoolRouter*>(cell.object) : nullptr;
}

constexpr Handler member_ended_handler{
    .invoke =
        [](Core&, Cell* cell, Envelope& envelope) {
          if (PoolRouter* router = router_of(*cell)) router->member_ended(envelope.message<Terminated>().who);
        },
    .destroy = destroy_message<Terminated>,
    .message = "a member has ended",
    .message_class = MessageClass::control,
    .runtime = true,
};

/// Tells the router that a member is through with all that it had been sent.
struct Flushed {
  static constexpr std::string_view name = "a member is through";
  Address member;
  bool busy = false;

  void apply(Core&, Cell& cell) const {
    if (PoolRouter* router = router_of(cell)) router->member_flushed(member, busy);
  }
};

struct FlushToken {
  Address router;
  Address member;
};

/// Stands behind everything that the member has, in its queue like a user message.
constexpr Handler flush_token_handler{
    .invoke =
        [](Core& core, Cell* cell, Envelope& envelope) {
          const auto& token = envelope.message<FlushToken>();
          control::send(&core, token.router, Flushed{token.member, cell->in_flight > 0});
        },
    .destroy = destroy_message<FlushToken>,
    .undeliverable =
        [](Core& core, Envelope& envelope) {
          const auto& token = envelope.message<FlushToken>();
          control::send(&core, token.router, Flushed{token.member});
        },
    .message = "flush",
    .priority = Priority::low,  // behind all that is queued, where the member has priorities
    .message_class = MessageClass::control,
};

struct Flush {
  static constexpr std::string_view name = "flush";
  FlushToken token;

  void apply(Core& core, Cell& cell) const {
    if (cell.state == CellState::stopping) return on_dead(core);
    mailbox::append_last(core, cell, core.make(flush_token_handler, cell.address(), FlushToken{token}));
  }
  void on_dead(Core& core) const { control::send(&core, token.router, Flushed{token.member}); }
};

std::string_view name_of(actor::Route route) noexcept {
  constexpr std::string_view names[] = {"round_robin", "least_loaded", "power_of_two", "consistent_hash", "broadcast"};
  return names[static_cast<std::size_t>(route)];
}

}  // namespace

void resize_pool(Address pool, std::uint32_t size) {
  if (!pool) return;
  Core* here = sender_to(pool);
  Core::submit(here, *pool.cell->owner, Core::make_on(here, resize_handler, pool, Resize{std::max(size, 1u)}));
}

PoolRouter::Again::Again(PoolRouter& its_router)
    : TimerNode([](TimerNode& node) noexcept {
        PoolRouter& pool = static_cast<Again&>(node).router;
        for (Member& member : pool.members_) {
          if (member.leaving && !member.awaited) pool.flush(member);
        }
      }),
      router(its_router) {}

PoolRouter::~PoolRouter() {
  if (cell_ == nullptr) return;
  forwarding::close(*cell_);
  while (Envelope* envelope = held_.pop()) cell_->owner->drop(envelope, cell_, Drop::stopped);
  if (draining_) forwarding::stays_drained(*cell_);
}

void PoolRouter::started(Context& context) {
  cell_ = &cell_of(context);
  wanted_ = std::max(plan_->options.size, 1u);
  dice_ = context.random().next();
  while (members_.size() < wanted_) add(false);
  forwarding::open(*cell_->owner, *cell_, *this);
}

void PoolRouter::inspect(Inspection& out) const {
  out.add("route", std::string{name_of(plan_->options.route)});
  out.add("members", members_.size());
  out.add("held", held_count_);
}

// ---- members ----

PoolRouter::Member& PoolRouter::add(bool joining) {
  Core& core = *cell_->owner;
  const std::uint64_t number = number_++;
  ActorOptions options = plan_->options.member;
  options.name = fmt::format("{}{}", options.name.empty() ? "member-" : options.name + "-", number);
  const auto first = static_cast<std::uint64_t>(core.index());
  const std::uint64_t step = plan_->options.spread == Spread::over_cores ? number : 0;
  options.core = static_cast<int>((first + step) % core.host().core_count());
  const std::uint32_t capacity = options.mailbox.capacity;
  const Address address = plan_->spawn(*cell_, std::move(options));
  lifecycle::request_watch(core, cell_->address(), member_ended_handler, address);
  // Where its start has failed already, its supervisor hears of that after what the pool holds has been passed on.
  const bool down = address.cell->owner == &core && address.cell->state == CellState::failed;
  some_are_down_ |= down;
  return members_.emplace_back(
      Member{.address = address, .number = number, .capacity = capacity, .joining = joining, .down = down});
}

PoolRouter::Member* PoolRouter::find(Address member) noexcept {
  const auto at = std::ranges::find(members_, member, &Member::address);
  return at != members_.end() ? &*at : nullptr;
}

void PoolRouter::child_changed(Address child, bool up) noexcept {
  Member* member = find(child);
  if (member == nullptr) return;
  member->down = !up;
  some_are_down_ = std::ranges::any_of(members_, &Member::down);
}

void PoolRouter::member_ended(Address member) {
  Member* ended = find(member);
  if (ended == nullptr) return;
  // Keys of what is held may now seem not to change hands at all, so everything with a key waits for the rest.
  if (held_count_ > 0) hold_all_ = true;
  if (!ended->leaving && wanted_ > 0) --wanted_;  // a replacement would only fail again; the next resize brings one
  members_.erase(members_.begin() + (ended - members_.data()));
  some_are_down_ = std::ranges::any_of(members_, &Member::down);
  // One that leaves is none to count on: once it is through there would be nobody, and nothing would fail any more.
  if (none_stays() && cell_->state == CellState::running && !draining_) {
    lifecycle::fault(*cell_, std::make_exception_ptr(std::runtime_error("the pool has no member left")),
                     "a member's end");
    return;
  }
  settle();
}

// ---- resizing ----

void PoolRouter::resize(std::uint32_t size) {
  if (draining_) return;
  wanted_ = size;
  plan_->options.size = size;
  settle();
}

/// A pool that drains shrinks to nothing, once the resize that is under way is through.
void PoolRouter::drain(Core&, Cell&) {
  if (std::exchange(draining_, true)) return;
  wanted_ = 0;
  settle();
}

void PoolRouter::flush(Member& member) {
  member.awaited = true;
  control::send(cell_->owner, member.address, Flush{{cell_->address(), member.address}});
}

void PoolRouter::member_flushed(Address address, bool busy) {
  Member* member = find(address);
  if (member == nullptr) return;
  if (member->leaving && busy) {  // handlers that it suspended while others went on: a look again shortly
    member->awaited = false;
    cell_->owner->timers().arm(again_, cell_->owner->now() + 5ms);
    return;
  }
  member->awaited = false;
  member->through = true;
  settle();
}

/// Ends what of a resize can be ended, and begins the next.
void PoolRouter::settle() {
  const auto in_transit = [](const Member& m) { return m.awaited || (m.leaving && !m.through); };
  // With keys all wait for the last, so that who owned a key before can be told until then.
  if (keeps_order() && std::ranges::any_of(members_, in_transit)) return;
  std::erase_if(members_, [&](const Member& member) {
    if (!member.leaving || !member.through) return false;
    lifecycle::request_stop(cell_->owner, member.address);
    return true;
  });
  for (Member& member : members_) member.joining = false;
  hold_all_ = false;
  held_count_ = 0;
  EnvelopeList held = held_.take();
  while (Envelope* envelope = held.pop()) by_key(*cell_->owner, envelope);
  if (cell_->state != CellState::running) return;
  resume_resizing();
  if (draining_ && members_.empty()) lifecycle::has_drained(*cell_);
}

void PoolRouter::resume_resizing() {
  const auto staying = static_cast<std::uint32_t>(std::ranges::count(members_, false, &Member::leaving));
  const std::size_t before = members_.size();
  for (std::uint32_t more = staying; more < wanted_; ++more) add(keeps_order());
  if (keeps_order() && members_.size() > before) {
    for (std::size_t i = 0; i < before; ++i) flush(members_[i]);
  }
  std::uint32_t fewer = staying > wanted_ ? staying - wanted_ : 0;
  for (std::size_t i = before; i-- > 0 && fewer > 0;) {
    if (members_[i].leaving) continue;
    members_[i].leaving = true;
    flush(members_[i]);
    --fewer;
  }
}

// ---- choosing ----

std::uint32_t PoolRouter::queued(Core& core, const Member& member) const {
  const Cell& cell = *member.address.cell;
  if (cell.owner == &core) return cell.depth;
  if (core.all_taken_by(*cell.owner)) member.under_way = 0;
  return cell.depth + member.under_way;
}

/// The next member that takes new messages, from where the last one stood; one that is down where all are.
std::size_t PoolRouter::next_in_turn() {
  for (std::size_t tries = members_.size(); tries > 0; --tries) {
    turn_ = (turn_ + 1) % members_.size();
    if (members_[turn_].is_awake()) return turn_;
  }
  return next_that_stays();
}

std::size_t PoolRouter::next_that_stays() {
  for (std::size_t tries = members_.size(); tries > 0; --tries) {
    turn_ = (turn_ + 1) % members_.size();
    if (!members_[turn_].leaving) break;
  }
  return turn_;
}

std::size_t PoolRouter::least_loaded(Core& core) {
  std::size_t best = next_in_turn();  // among equals each has its turn
  const bool all_are_down = members_[best].down;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].leaving || members_[i].down != all_are_down) continue;
    if (load(core, members_[i]) < load(core, members_[best])) best = i;
  }
  return best;
}

std::size_t PoolRouter::draw() {
  const std::size_t at = mix(++dice_) % members_.size();
  if (members_[at].is_awake()) return at;
  turn_ = at;
  return next_in_turn();
}

std::size_t PoolRouter::choose(Core& core) {
  const std::size_t chosen = choose_by_route(core);
  if (!some_are_down_) [[likely]]
    return chosen;
  return one_with_room(core, chosen);
}

/// In place of one that is full: who is awake and has room, and after them who is down.
std::size_t PoolRouter::one_with_room(Core& core, std::size_t chosen) const {
  if (!is_full(core, members_[chosen])) return chosen;
  std::size_t best = chosen;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].leaving || is_full(core, members_[i])) continue;
    if (!members_[i].down) return i;
    best = i;
  }
  return best;
}

std::size_t PoolRouter::choose_by_route(Core& core) {
  switch (plan_->options.route) {
    case actor::Route::least_loaded:
      return least_loaded(core);
    case actor::Route::power_of_two: {
      const std::size_t one = draw();
      const std::size_t two = draw();
      return load(core, members_[two]) < load(core, members_[one]) ? two : one;
    }
    default: {
      const std::size_t one = next_in_turn();
      if (!is_full(core, members_[one])) return one;
      return next_in_turn();  // to one other; if that is full too, its overflow policy decides
    }
  }
}

/// Highest random weight: of all members the one whose number fits the key best, so that one more takes 1/n of the keys
/// from the others and nothing else moves.
PoolRouter::Member& PoolRouter::owner(std::uint64_t key, bool before) {
  Member* best = nullptr;
  std::uint64_t best_weight = 0;
  for (Member& member : members_) {
    if (before ? member.joining : member.leaving) continue;
    const std::uint64_t weight = mix(key ^ mix(member.number + 1));
    if (best != nullptr && weight <= best_weight) continue;
    best = &member;
    best_weight = weight;
  }
  return best != nullptr ? *best : members_.front();
}

// ---- passing on ----

Sent PoolRouter::forward(Core& core, Cell&, Envelope* envelope) {
  if (envelope->handler == &resize_handler) [[unlikely]] {
    resize(envelope->message<Resize>().size);
    core.destroy(envelope);
    return Sent::sent;
  }
  if (draining_) [[unlikely]] {
    core.drop(envelope, cell_, Drop::stopped);
    return Sent::dead;
  }
  if (members_.empty()) return refuse(core, envelope, Drop::dead, "the pool has no members");
  if (plan_->options.route == actor::Route::broadcast) return broadcast(core, envelope);
  if (keeps_order() && envelope->handler->key != nullptr) return by_key(core, envelope);
  return pass_to(core, members_[choose(core)], envelope);
}

Sent PoolRouter::pass_to(Core& core, Member& member, Envelope* envelope) {
  if (member.address.cell->owner != &core) ++member.under_way;
  return forwarding::pass_on(core, envelope, member.address);
}

Sent PoolRouter::by_key(Core& core, Envelope* envelope) {
  if (members_.empty()) return refuse(core, envelope, Drop::dead, "the pool has no members");
  const std::uint64_t key = envelope->handler->key(*envelope);
  Member& now = owner(key, true);
  if (!hold_all_ && &now == &owner(key, false)) return pass_to(core, now, envelope);
  if (!forwarding::may_hold(*envelope, held_count_))
    return refuse(core, envelope, Drop::full, "the pool is being resized");
  held_.push(envelope);
  ++held_count_;
  return Sent::sent;
}

Sent PoolRouter::broadcast(Core& core, Envelope* envelope) {
  if (none_stays()) return refuse(core, envelope, Drop::dead, "the pool has no members");
  if (envelope->awaits_room != 0) {  // whoever sends waits for room at one actor; with many there is no such thing
    envelope->awaits_room = 0;
    core.fail_ask(std::exchange(envelope->reply, {}), Outcome::answered, {});
  }
  if (envelope->reply) return refuse(core, envelope, Drop::unroutable, "a broadcast pool is told, not asked");
  if (envelope->handler->copy == nullptr) {
    return refuse(core, envelope, Drop::unroutable, "a message that cannot be copied cannot be broadcast");
  }
  Sent result = Sent::sent;
  Member* last = nullptr;
  for (Member& member : members_) {
    if (member.leaving) continue;
    if (Member* previous = std::exchange(last, &member)) {
      const Sent sent = pass_to(core, *previous, envelope->handler->copy(core, *envelope, previous->address));
      if (sent != Sent::sent) result = sent;
    }
  }
  const Sent sent = pass_to(core, *last, envelope);
  return sent != Sent::sent ? sent : result;
}

Sent PoolRouter::refuse(Core& core, Envelope* envelope, Drop reason, std::string why) {
  if (envelope->reply) core.fail_ask(std::exchange(envelope->reply, {}), Outcome::not_executed, std::move(why));
  core.drop(envelope, cell_, reason);
  return reason == Drop::full ? Sent::full : Sent::dead;
}

}  // namespace troupe::actor::detail
