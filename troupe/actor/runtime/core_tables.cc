// See core.h. Here: the tables of a core: cells, running handlers, asks that wait, statistics.
#include "troupe/actor/runtime/asking.h"
#include "troupe/actor/runtime/core.h"
#include "troupe/actor/runtime/credits.h"
#include "troupe/actor/runtime/mailbox.h"
#include "troupe/actor/runtime/mailbox_queue.h"
#include "troupe/actor/runtime/migrate.h"
#include "troupe/actor/runtime/stream_source.h"
#include "troupe/actor/runtime/topic_directory.h"
#include "troupe/base/check.h"

namespace troupe::actor {
namespace {

constexpr Duration verdict_pause = 50ms;  // in which an owner's last word may arrive

struct NoAnswer {
  ReplyTo reply;
  Outcome outcome;
  std::string what;
};

constexpr Handler no_answer_handler{
    .invoke =
        [](Core& core, Cell*, Envelope& envelope) {
          auto& answer = envelope.message<NoAnswer>();
          core.fail_ask(answer.reply, answer.outcome, std::move(answer.what));
        },
    .destroy = destroy_message<NoAnswer>,
    .message = "no answer",
    .message_class = MessageClass::control,
    .runtime = true,
};

std::mutex types_mutex;
std::vector<const ActorType*>& types() {
  static std::vector<const ActorType*> all;
  return all;
}

}  // namespace

void AskState::time_out(TimerNode& node) noexcept {
  auto& ask = static_cast<AskState&>(node);
  if (ask.core->now() < ask.deadline) {
    asking::look_for_deadlock(ask);
    return;
  }
  // Whether there was room in time the owner says, to whom the time is up at the same moment: it is waited for, or a
  // message that was admitted would count as refused, and might be sent again.
  if (ask.for_room && ask.core->now() < ask.deadline + verdict_pause) {
    ask.core->timers().arm(ask, ask.deadline + verdict_pause);
    return;
  }
  // On one core the queued request expires with its ask and is certainly not handled any more.
  const bool certain = !ask.remote && !ask.entered;
  ask.failure = AskFailure{certain ? Outcome::not_executed : Outcome::unknown, "no answer in time"};
  ask.core->abandon_ask(ask);
  ask.core->make_ready_first(*ask.activation);
}

// ---- cells ----

Cell& Core::carve_cell() {
  if (slabs_.empty() || slabs_.back().used == slab_cells) {
    auto memory = std::make_unique_for_overwrite<std::byte[]>(sizeof(Cell) * slab_cells + alignof(Cell));
    void* start = memory.get();
    std::size_t room = sizeof(Cell) * slab_cells + alignof(Cell);
    auto* cells = static_cast<Cell*>(std::align(alignof(Cell), sizeof(Cell), start, room));
    slabs_.push_back({std::move(memory), cells, 0});
  }
  Slab& slab = slabs_.back();
  return *new (&slab.cells[slab.used++]) Cell(*this, number_of(next_cell_++));
}

namespace {

void furnish(Cell& cell, const MailboxOptions& mailbox, std::uint32_t messages, std::size_t bytes) {
  cell.state = CellState::reserved;
  cell.capacity = mailbox.capacity;
  cell.overflow = mailbox.overflow;
  cell.lent = 0;
  cell.quick = mailbox::quick_for(cell);
  if (mailbox.stash_max != MailboxOptions{}.stash_max) cell.more().stash_max = mailbox.stash_max;
  if (mailbox.bytes_max > 0 || mailbox.priorities) {
    auto& ledger = mailbox::open_ledger(cell);
    ledger.bytes_max = mailbox.bytes_max;
    ledger.priorities = mailbox.priorities;
  }
  credits::open(cell, messages, bytes);
}

}  // namespace

Cell& Core::reserve(const MailboxOptions& mailbox) {
  Cell* cell = nullptr;
  if (free_cells_.empty()) {
    cell = &carve_cell();
  } else {
    cell = free_cells_.back();
    free_cells_.pop_back();
  }
  furnish(*cell, mailbox, 0, 0);
  return *cell;
}

Cell& Core::reserve_remotely(const MailboxOptions& mailbox, std::uint32_t messages, std::size_t bytes) {
  const std::lock_guard lock{inbox_mutex_};
  Cell* cell = nullptr;
  if (remote_free_cells_.empty()) {
    auto memory = std::make_unique_for_overwrite<std::byte[]>(sizeof(Cell) + alignof(Cell));
    void* start = memory.get();
    std::size_t room = sizeof(Cell) + alignof(Cell);
    auto* place = static_cast<Cell*>(std::align(alignof(Cell), sizeof(Cell), start, room));
    // Numbers from the upper half, so that the two ways to reserve never give the same one.
    cell = new (place) Cell(*this, number_of(0x800000u + static_cast<std::uint32_t>(remote_slabs_.size())));
    cell->reserved_remotely = true;
    remote_slabs_.push_back({std::move(memory), place, 1});
  } else {
    cell = remote_free_cells_.back();
    remote_free_cells_.pop_back();
  }
  furnish(*cell, mailbox, messages, bytes);
  return *cell;
}

void Core::free_cell(Cell& cell) noexcept {
  const bool remote = cell.reserved_remotely;
  const std::uint32_t generation = cell.address().generation;
  std::unique_lock<std::mutex> lock;
  // Another thread gives back what it has reserved and nobody knows of; this core may look at all cells meanwhile.
  if (remote && current_ != this) lock = std::unique_lock{inbox_mutex_};
  cell.extras.reset();
  cell.record = nullptr;
  cell.parent = {};
  cell.type = nullptr;
  cell.handled = 0;
  cell.pending_stop = false;
  cell.exclusive = 0;
  cell.quick = 0;
  cell.held = 0;
  if (remote && !lock) lock = std::unique_lock{inbox_mutex_};
  cell.state = CellState::free;
  cell.generation.store(generation + 1, std::memory_order_relaxed);
  // A cell whose generations are used up retires: an address must never come to mean somebody else.
  if (generation + 1 == UINT32_MAX) return;
  if (!remote) {
    free_cells_.push_back(&cell);
  } else if (cell.scheduled || cell.hurried) {
    leaving_.push_back(&cell);  // this core looks at it once more; another thread must not furnish it meanwhile
  } else {
    remote_free_cells_.push_back(&cell);
  }
}

void Core::release_cells() noexcept {
  const std::lock_guard lock{inbox_mutex_};
  std::erase_if(leaving_, [this](Cell* cell) {
    if (cell->scheduled || cell->hurried) return false;
    remote_free_cells_.push_back(cell);
    return true;
  });
}

Departed& Core::departed() {
  if (!departed_) departed_ = std::make_unique<Departed>();
  return *departed_;
}

Address Core::moved_to(const Cell& cell, std::uint32_t generation) const noexcept {
  if (!departed_) [[likely]]
    return {};
  return departed_->find({(id_of(cell).value & ~std::uint64_t{UINT32_MAX}) | generation});
}

Sent Core::admit(Cell& cell, Envelope* envelope) { return mailbox::admit(*this, cell, envelope); }

// ---- running handlers ----

Activation& Core::begin(Cell& cell, Envelope& envelope) {
  auto* activation = create<Activation>();
  activation->cell = &cell;
  activation->reply = std::exchange(envelope.reply, {});
  activation->deadline = envelope.deadline;
  activation->handler = envelope.handler;
  activation->interleaves = envelope.handler->interleaves;
  if (activation->interleaves) {
    cell.activations.push(activation);
  } else {
    cell.activations.push_front(activation);
  }
  if (span_ != nullptr && !span_->held) {
    span_->held = true;
    activation->span = span_;
  }
  ++cell.in_flight;
  running_ = activation;
  return *activation;
}

void Core::end(Activation& activation) noexcept {
  Cell& cell = *activation.cell;
  const bool unfinished = activation.root && !activation.root.done();
  if (activation.root) activation.root.destroy();
  if (activation.ready) {
    Activation* before = nullptr;
    for (Activation* at = cell.ready_first; at != &activation; at = at->ready_next) before = at;
    (before != nullptr ? before->ready_next : cell.ready_first) = activation.ready_next;
    if (cell.ready_last == &activation) cell.ready_last = before;
  }
  cell.activations.remove(&activation);
  if (!activation.at_yield) --cell.in_flight;
  if (activation.exclusive) --cell.exclusive;
  if (activation.span != nullptr) finish_span(*activation.span, unfinished);
  if (cell.in_flight == 0 && cell.exclusive != 0) [[unlikely]]
    lifecycle::last_handler_ended(cell);
  if (running_ == &activation) running_ = nullptr;
  if (activation.postponed) std::erase(cell.extras->postponed, &activation);
  dispose(&activation);
  if (cell.extras != nullptr && !cell.extras->postponed.empty()) [[unlikely]]
    streams::release(*this, cell);
}

// ---- spans ----

void Core::open_span(const base::TraceContext& parent, std::string name, bool is_entry) {
  if (span_ != nullptr) return;  // it has one
  const Cell* cell = running_cell();
  const bool typed = cell != nullptr && cell->type != nullptr;
  const bool fresh = (parent.trace_high | parent.trace_low) == 0;
  span_ =
      create<Span>(Span{.context = fresh ? base::new_trace(random(), parent.sampled) : base::child_of(parent, random()),
                        .parent = fresh ? 0 : parent.span,
                        .name = std::move(name),
                        .actor_type = typed ? cell->type->name : std::string_view{},
                        .actor = running_id_,
                        .start = clock_.read(),
                        .is_entry = is_entry});
  if (running_ != nullptr) {
    span_->held = true;
    running_->span = span_;
  }
}

void Core::close_span(bool failed) noexcept {
  Span* span = std::exchange(span_, nullptr);
  if (span != nullptr && !span->held) finish_span(*span, failed);
}

void Core::finish_span(Span& span, bool failed) noexcept {
  if (span_ == &span) span_ = nullptr;
  if (finished_spans_ == nullptr) finished_spans_ = std::make_unique<SpanBuffer>();
  auto& [spans, left_out] = *finished_spans_;
  if (span.context.sampled && spans.size() < SpanBuffer::spans_max) {
    spans.push_back({.context = span.context,
                     .parent = span.parent,
                     .name = std::move(span.name),
                     .actor_type = span.actor_type,
                     .actor = span.actor,
                     .core = index_,
                     .start = span.start,
                     .took = clock_.read() - span.start,
                     .failed = failed,
                     .is_entry = span.is_entry});
  } else if (span.context.sampled) {
    ++left_out;
  }
  dispose(&span);
}

SpanBuffer Core::take_spans() {
  if (finished_spans_ == nullptr) return {};
  return std::exchange(*finished_spans_, {});
}

// ---- asks ----

void Core::open_slot(AskState& ask) {
  take_slot(ask);
  if (free_reply_slot_ == no_slot) add_slot();
}

void Core::add_slot() {
  free_reply_slot_ = static_cast<std::uint32_t>(reply_slots_.size());
  reply_slots_.push_back({.id = {free_reply_slot_, index_}, .next_free = no_slot});
}

/// What few asks need when they are opened.
void Core::prepare_ask(AskState& ask) {
  if (free_reply_slot_ == no_slot) add_slot();
  ReplySlot& entry = reply_slots_[ask.id.slot()];
  if (ask.deadline < placing_) {
    ask.timeless = false;
    timers_.arm(ask, ask.deadline);
  } else if (!entry.listed) {
    timeless_.push_back(ask.id.slot());
    entry.listed = true;
  }
}

void Core::place_asks() noexcept {
  for (const std::uint32_t slot : timeless_) {
    ReplySlot& entry = reply_slots_[slot];
    entry.listed = false;
    if (entry.ask == nullptr || !entry.ask->timeless) continue;
    entry.ask->timeless = false;
    timers_.arm(*entry.ask, std::min(entry.ask->deadline, now() + asking::probe_first));
  }
  timeless_.clear();
  placing_ = now() + placing_pause;
}

void Core::time_ask(AskState& ask) {
  ask.timeless = true;
  if (ask.deadline < placing_ || !reply_slots_[ask.id.slot()].listed) prepare_ask(ask);
}

void Core::abandon_ask(AskState& ask) noexcept {
  const ReplyTo reply = ask.id;
  if (!ask.target || ask.target.cell->owner == this) {
    close_ask(ask);
  } else {
    ReplySlot& entry = reply_slots_[reply.slot()];
    entry.ask = nullptr;
    entry.id = reply.next();
    entry.withdrawn = true;
    ask.id = {};
    timers_.disarm(ask);
  }
  asking::withdraw(*this, ask.target, reply);
}

void Core::withdrawal_ended(ReplyTo ask) noexcept {
  ReplySlot& entry = reply_slots_[ask.slot()];
  if (!entry.withdrawn || entry.id != ask.next()) return;
  entry.withdrawn = false;
  if (!entry.id) return;
  entry.next_free = free_reply_slot_;
  free_reply_slot_ = ask.slot();
}

AskState* Core::ask_of(const Activation& activation) noexcept {
  if (activation.ask_slot >= reply_slots_.size()) return nullptr;
  AskState* ask = reply_slots_[activation.ask_slot].ask;
  // An end of a stream that sends has a slot too, but asks nobody.
  const bool asks = ask != nullptr && ask->target && ask->activation == &activation;
  return asks ? ask : nullptr;
}

AskState* Core::source_of(const Activation& activation) noexcept {
  if (activation.source_slot >= reply_slots_.size()) return nullptr;
  AskState* source = reply_slots_[activation.source_slot].ask;
  const bool gives = source != nullptr && !source->target && source->activation == &activation;
  return gives ? source : nullptr;
}

void Core::fail_ask(ReplyTo reply, Outcome outcome, std::string what) {
  if (reply.core() != index_) {
    Core& home = host_.core(reply.core());
    submit(this, home, make(no_answer_handler, {}, NoAnswer{reply, outcome, std::move(what)}));
    return;
  }
  AskState* ask = find_ask(reply);
  if (ask == nullptr) return;  // it has its outcome; what was dropped has been counted where it was
  ask->failure = AskFailure{outcome, std::move(what)};
  finish_ask(*ask);
}

std::size_t Core::open_asks() const noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(reply_slots_, [](const ReplySlot& slot) { return slot.ask != nullptr; }));
}

// ---- children that nobody waits for ----

void Core::abandon(ChildRecord& record) noexcept {
  record.parent = nullptr;
  record.extras.reset();
  abandoned_.push(&record);
}

void Core::forget_abandoned(ChildRecord& record) noexcept {
  abandoned_.remove(&record);
  dispose(&record);
}

// ---- statistics ----

std::string_view name_of(Drop reason) noexcept {
  switch (reason) {
    case Drop::oldest:
      return "evicted by a newer message";
    case Drop::newest:
      return "refused by a full mailbox";
    case Drop::full:
      return "the mailbox is full";
    case Drop::park_expired:
      return "no room in time";
    case Drop::expired:
      return "expired before it was handled";
    case Drop::dead:
      return "no such actor";
    case Drop::stopped:
      return "the actor stopped";
    case Drop::late_reply:
      return "late reply";
    case Drop::unwanted:
      return "its asker has gone";
    case Drop::deadlock:
      return "a deadlock";
    case Drop::unroutable:
      return "a message that such a pool cannot pass on";
  }
  return "";
}

std::uint32_t index_of(const ActorType& type) {
  const std::lock_guard lock{types_mutex};
  auto& all = types();
  const auto at = std::find(all.begin(), all.end(), &type);
  if (at != all.end()) return static_cast<std::uint32_t>(at - all.begin());
  INVARIANT(all.size() < types_max, "more classes of actors than a process may have: types_max of runtime/stats.h");
  all.push_back(&type);
  return static_cast<std::uint32_t>(all.size() - 1);
}

std::vector<const ActorType*> known_types() {
  const std::lock_guard lock{types_mutex};
  return types();
}

TypeStats& Core::first_stats(const ActorType& type) {
  std::uint32_t index = type.index.load(std::memory_order_relaxed);
  if (index == UINT32_MAX) {
    index = index_of(type);
    type.index.store(index, std::memory_order_relaxed);
  }
  TypeStats* figures = stats_[index].load(std::memory_order_relaxed);
  if (figures == nullptr) {
    figures = new TypeStats;
    stats_[index].store(figures, std::memory_order_release);
  }
  return *figures;
}

const TypeStats* Core::stats_of(std::uint32_t type_index) const noexcept {
  return type_index < stats_.size() ? stats_[type_index].load(std::memory_order_acquire) : nullptr;
}

void Core::tear_down() noexcept {
  const Scope scope{*this};
  torn_down_ = true;
  credits_->clear();
  host_.topics().clear(*this);
  // Without the lock by which cells are found: what an actor owns may wait, where it ends, for a thread that sends
  // here.
  std::vector<Cell*> cells;
  for_each_cell([&cells](Cell& cell) { cells.push_back(&cell); });
  while (!cells.empty()) {
    for (Cell* cell : cells) lifecycle::obliterate(*this, *cell);
    cells.clear();
    // Who has ended may have spawned others.
    for_each_cell([&cells](Cell& cell) {
      if (cell.state != CellState::stopping) cells.push_back(&cell);
    });
  }
  while (abandoned_.first != nullptr) forget_abandoned(*abandoned_.first);
}

void Core::close_inbox() noexcept {
  const Scope scope{*this};
  EnvelopeList rest;
  {
    const std::lock_guard lock{inbox_mutex_};
    inbox_limit_.narrow(InboxLimit::Ending::closed);
    rest = inbox_.take();
  }
  while (Envelope* envelope = rest.pop()) destroy(envelope);
}

void Core::discard_all() noexcept {
  const Scope scope{*this};
  // What ends here may itself have sent something, by any lane.
  for (bool found = true; found;) {
    found = !posted_.empty();
    while (Envelope* envelope = posted_.pop()) destroy(envelope);
    Chains chains;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      while (rings_[i].pop(chains)) {
        found = true;
        discard_chain(chains.messages, chains.returned);
      }
      found |= !lanes_[i].messages.empty();
      discard_chain(lanes_[i].messages.take().head, std::exchange(lanes_[i].returned, nullptr));
    }
    found |= !posted_.empty();
  }
}

}  // namespace troupe::actor
