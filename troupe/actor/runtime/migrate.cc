// See migrate.h.
#include "troupe/actor/runtime/migrate.h"

#include "troupe/actor/runtime/asking.h"
#include "troupe/actor/runtime/control.h"
#include "troupe/actor/runtime/credits.h"
#include "troupe/actor/runtime/mailbox.h"
#include "troupe/actor/runtime/mailbox_batch.h"
#include "troupe/actor/runtime/topic_directory.h"
#include "troupe/base/check.h"

namespace troupe::actor {

void Departed::add(ActorId left, Address now) {
  if (order_.size() >= entries_max) {
    now_.erase(order_.front());
    order_.pop_front();
  }
  now_[left] = now;
  order_.push_back(left);
}

Address Departed::find(ActorId left) const noexcept {
  const auto at = now_.find(left);
  return at != now_.end() ? at->second : Address{};
}

namespace migration {
namespace {

/// What an actor takes along. It owns all of it until it has arrived.
struct Luggage {
  const ActorType* type = nullptr;
  std::unique_ptr<Body> body;
  void* object = nullptr;
  EnvelopeList user;
  std::uint32_t places = 0;  // that are kept for `user`, as credits
  std::uint32_t in_flight_max = 0;
  Restart restart{};
  std::uint64_t handled = 0;
  Instant last_activity{};
  std::unique_ptr<CellExtras> extras;
  std::uint32_t shutdown_milliseconds = 0;
  Restart child_restart{};

  Luggage() = default;
  Luggage(Luggage&& other) noexcept
      : type(other.type),
        body(std::move(other.body)),
        object(std::exchange(other.object, nullptr)),
        user(other.user.take()),
        places(other.places),
        in_flight_max(other.in_flight_max),
        restart(other.restart),
        handled(other.handled),
        last_activity(other.last_activity),
        extras(std::move(other.extras)),
        shutdown_milliseconds(other.shutdown_milliseconds),
        child_restart(other.child_restart) {}
  Luggage& operator=(Luggage&&) = delete;
  /// Where it never arrives, since the system has ended.
  ~Luggage() {
    Core* core = Core::current();
    while (extras && extras->timers.first != nullptr) {
      ActorTimer* timer = extras->timers.first;
      extras->timers.remove(timer);
      timer->cancelled = true;
      if (!timer->queued) timer->dispose(*core);
    }
    while (Envelope* envelope = user.pop()) core->destroy(envelope);
    while (extras && !extras->stash.empty()) core->destroy(extras->stash.pop());
    if (object != nullptr) body->destroy();
  }
};

struct Arrive {
  static constexpr std::string_view name = "arrive";
  Luggage luggage;
  Address parent;

  void apply(Core& core, Cell& cell);
};

void readdress(Cell& cell, Envelope* envelope) noexcept {
  envelope->target = &cell;
  envelope->generation = cell.address().generation;
}

void unpack_extras(Core& core, Cell& cell, CellExtras& from) {
  CellExtras& to = cell.more();
  to.name = std::move(from.name);
  to.supervision = std::move(from.supervision);
  to.block_for = from.block_for;
  to.watchers.insert(to.watchers.begin(), from.watchers.begin(), from.watchers.end());
  to.topic_homes = std::move(from.topic_homes);
  to.handling_time = std::move(from.handling_time);
  to.errors = from.errors;
  to.times_restarted = from.times_restarted;
  to.last_failure = std::move(from.last_failure);
  while (Envelope* envelope = from.stash.pop()) {
    readdress(cell, envelope);
    to.stash.push(envelope);
  }
  to.stashed = std::exchange(from.stashed, 0);
  while (ActorTimer* timer = from.timers.first) {
    from.timers.remove(timer);
    timer->cell = &cell;
    to.timers.push(timer);
    if (timer->due != Instant::never()) core.timers().arm(*timer, timer->due);
  }
}

/// What it brings goes before what has been told to its new address.
void unpack_mailbox(Core& core, Cell& cell, Luggage& luggage) {
  EnvelopeList later;
  while (!cell.user.empty()) later.push(mailbox::pop(cell));
  while (Envelope* envelope = luggage.user.pop()) {
    readdress(cell, envelope);
    mailbox::push(cell, envelope);
  }
  while (Envelope* envelope = later.pop()) {
    if (cell.overflow == Overflow::drop_oldest) {
      mailbox::admit(core, cell, envelope);  // no place was kept for what is older, so it may have to go now
    } else {
      mailbox::push(cell, envelope);
    }
  }
  credits::return_to(core, cell, luggage.places);
  if (mailbox::ledger_of(cell) != nullptr) mailbox::consider_batch(core, cell);
}

void Arrive::apply(Core& core, Cell& cell) {
  INVARIANT(cell.state == CellState::reserved, "an actor arrives where a cell was kept for it");
  cell.type = luggage.type;
  cell.body = luggage.body.release();
  cell.object = std::exchange(luggage.object, nullptr);
  cell.in_flight_max = luggage.in_flight_max;
  cell.restart = luggage.restart;
  cell.failed_for_good = false;
  cell.handled = luggage.handled;
  cell.last_activity = luggage.last_activity;
  if (luggage.extras) unpack_extras(core, cell, *luggage.extras);
  unpack_mailbox(core, cell, luggage);
  cell.parent = parent;
  auto* record = core.create<ChildRecord>();
  record->child = cell.address();
  record->restart = luggage.child_restart;
  record->shutdown_milliseconds = luggage.shutdown_milliseconds;
  cell.record = record;
  record->ran_before = true;
  cell.has_started = true;
  cell.state = CellState::running;
  const bool pending_stop = cell.pending_stop;
  if (parent.cell->is(parent.generation) && parent.cell->state != CellState::stopping) {
    record->parent = parent.cell;
    parent.cell->more().children.push(record);
    if (pending_stop) lifecycle::request_stop(&core, cell.address());
  } else {  // its new parent has ended meanwhile
    core.abandon(*record);
    lifecycle::request_stop(&core, cell.address());
  }
  core.schedule(cell);
}

}  // namespace

bool is_bound(const Cell& cell) noexcept { return cell.extras && cell.extras->children.first != nullptr; }

namespace {

/// Either end of a stream stays on the core that it was opened on.
bool has_streams(const Cell& cell) noexcept {
  return cell.extras && (cell.extras->streams > 0 || cell.extras->readers > 0);
}

}  // namespace

bool may_go(const Cell& cell) noexcept {
  if (cell.state != CellState::running || !cell.has_started || cell.record == nullptr) return false;
  // What it has told its parent, that its start is through say, names the record, which a move would free.
  if (cell.record->phase != ChildPhase::up || cell.record->in_round) return false;
  return cell.in_flight == 0 && cell.control.empty() && !is_bound(cell) && !has_streams(cell) &&
         (cell.held & hold_parked) == 0;
}

Address go(Core& core, Cell& cell, Core& to, Address parent, const MailboxOptions& options) {
  INVARIANT(may_go(cell), "an actor changes its core between two messages");
  mailbox::admit_all(core, cell);
  std::size_t bytes = 0;
  if (options.bytes_max > 0) {
    for (const Envelope* at = cell.user.head; at != nullptr; at = at->next) bytes += mailbox::bytes_of(*at);
  }
  const Address before = cell.address();
  Cell& there = to.reserve_remotely(options, cell.depth, bytes);
  const Address now = there.address();
  Arrive arrive{.parent = parent};
  Luggage& luggage = arrive.luggage;
  luggage.places = there.lent - there.generation.offered();
  luggage.type = cell.type;
  luggage.body.reset(std::exchange(cell.body, nullptr));
  luggage.object = std::exchange(cell.object, nullptr);
  while (!cell.user.empty()) {
    Envelope* envelope = mailbox::pop(cell);
    asking::moved(core, envelope->reply, now);
    luggage.user.push(envelope);
  }
  luggage.in_flight_max = cell.in_flight_max;
  luggage.restart = cell.restart;
  luggage.handled = cell.handled;
  luggage.last_activity = cell.last_activity;
  luggage.shutdown_milliseconds = cell.record->shutdown_milliseconds;
  luggage.child_restart = cell.record->restart;
  luggage.extras = std::move(cell.extras);
  if (luggage.extras) {
    for (Envelope* at = luggage.extras->stash.head; at != nullptr; at = at->next) asking::moved(core, at->reply, now);
    std::erase_if(luggage.extras->watchers, [&](const auto& entry) { return entry.watcher == cell.parent; });
    for (ActorTimer* timer = luggage.extras->timers.first; timer != nullptr; timer = timer->next) {
      core.timers().disarm(*timer);
    }
  }
  cell.parent.cell->extras->children.remove(cell.record);
  core.dispose(std::exchange(cell.record, nullptr));
  core.departed().add(id_of(cell), now);
  core.free_cell(cell);
  if (luggage.extras)
    core.host().topics().moves(core, before, now, *luggage.extras, options.overflow == Overflow::block);
  control::send(&core, now, std::move(arrive));
  return now;
}

}  // namespace migration
}  // namespace troupe::actor
