// See core.h. Here: a turn, its lanes and the dispatch. What stands between turns is in core_wait.cc, cells, asks and
// statistics in core_tables.cc.
#include "troupe/actor/runtime/core.h"

#include "troupe/actor/runtime/credit_book.h"
#include "troupe/actor/runtime/credits.h"
#include "troupe/actor/runtime/dead_letter_box.h"
#include "troupe/actor/runtime/mailbox.h"
#include "troupe/actor/runtime/migrate.h"
#include "troupe/actor/runtime/stream_source.h"
#include "troupe/base/check.h"

namespace troupe::actor {
namespace {

struct Posted {
  std::move_only_function<void(Core&)> run;
};

constexpr Handler posted_handler{
    .invoke = [](Core& core, Cell*, Envelope& envelope) { envelope.message<Posted>().run(core); },
    .destroy = destroy_message<Posted>,
    .message = "posted work",
    .message_class = MessageClass::control,
    .runtime = true,
};

/// So long may what a turn has sent to other cores, and they to it, wait for its end; waking one costs about as much.
constexpr auto hand_over_pause = std::chrono::microseconds{50};

/// So many actors with answers or messages of the runtime go first, then one that waits in line.
constexpr int hurried_in_a_row_max = 64;

struct TurnEndMark final : TurnEndHook {
  void on_turn_end() override {}
};

}  // namespace

TurnEndHook::~TurnEndHook() {
  if (queued_on_ != nullptr) queued_on_->turn_end_.remove(this);
}

Core::Core(Host& host, CoreOptions options)
    : host_(host),
      index_(options.index),
      clock_(*options.clock),
      random_(std::move(options.random)),
      poller_(std::move(options.poller)),
      observer_(options.observer),
      lane_limit_(options.lane_limit),
      spin_(options.spin),
      unmeasured_(options.observer != nullptr ? 0 : 63),
      placing_(now()),
      timers_(now()),
      lanes_(static_cast<std::size_t>(options.cores)),
      rings_(std::make_unique<Ring[]>(static_cast<std::size_t>(options.cores))),
      credits_(std::make_unique<CreditBook>(*this)) {
  add_slot();
}

Core::~Core() {
  for (auto& entry : stats_) delete entry.load(std::memory_order_relaxed);
  for (auto* list : {&slabs_, &remote_slabs_}) {
    for (auto& slab : *list) std::destroy_n(slab.cells, slab.used);
  }
}

void Core::post(std::move_only_function<void(Core&)> work) {
  posted_.push(make(posted_handler, {}, Posted{std::move(work)}));
}

void Core::post_remotely(std::move_only_function<void(Core&)> work) {
  Core* here = host_.here();
  submit(here, *this, make_on(here, posted_handler, {}, Posted{std::move(work)}));
}

Doing Core::doing() const noexcept {
  if (const Handler* handler = handling_.load(std::memory_order_relaxed)) {
    return {handler->actor != nullptr ? &handler->actor() : nullptr, handler->message};
  }
  const char* callback = callback_.load(std::memory_order_relaxed);
  return {callback_of_.load(std::memory_order_relaxed), callback != nullptr ? callback : "a callback"};
}

void Core::at_turn_end(TurnEndHook& hook) noexcept {
  if (hook.queued_on_ != nullptr) return;
  hook.queued_on_ = this;
  turn_end_.push(&hook);
}

void Core::send_home(Envelope* block) noexcept {
  if (torn_down_) {  // no lane is served any more, and no other core runs
    host_.core(block->home).pool_.release_class(block, block->size_class);
    return;
  }
  Lane& lane = lanes_[block->home];
  block->next = std::exchange(lane.returned, block);
}

void Core::take_back_from_elsewhere(void* memory, std::size_t bytes) noexcept {
  const std::size_t size_class = BlockPool::class_of(bytes);
  if (size_class == BlockPool::classes) {  // from the heap, which any thread may give it back to
    pool_.release_class(memory, size_class);
  } else if (current_ != nullptr) {
    auto* block = new (memory) Envelope;
    block->home = static_cast<std::uint8_t>(index_);
    block->size_class = static_cast<std::uint8_t>(size_class);
    current_->send_home(block);
  } else {
    post_remotely([memory, bytes](Core& home) { home.pool_.release(memory, bytes); });
  }
}

// ---- between cores ----

Sent Core::submit(Core* here, Core& to, Envelope* envelope) {
  if (here == nullptr) return to.from_outside(envelope);
  if (here != &to) return here->to_lane(to, envelope);
  if (envelope->target != nullptr) return here->admit(*envelope->target, envelope);
  here->posted_.push(envelope);
  return Sent::sent;
}

Sent Core::to_lane(Core& to, Envelope* envelope) {
  INVARIANT(&to.host_ == &host_, "an actor asks, sends to and streams from actors of its own system");
  Lane& lane = lanes_[static_cast<std::size_t>(to.index_)];
  const bool bounded = envelope->handler->message_class != MessageClass::control;
  if (bounded && lane.waiting >= lane_limit_) {
    drop(envelope, nullptr, Drop::full);
    return Sent::full;
  }
  if (bounded && envelope->target != nullptr && envelope->awaits_room == 0 && !credits_->spend(*envelope))
      [[unlikely]] {
    if (const auto held_back = credits_->pass(envelope)) return *held_back;
  }
  to_lane_paid(to, envelope);
  return Sent::sent;
}

void Core::to_lane_paid(Core& to, Envelope* envelope) {
  Lane& lane = lanes_[static_cast<std::size_t>(to.index_)];
  lane.messages.push(envelope);
  // Handing over every 64 messages lets the other core begin while this one still works. Of cores that are torn down
  // none begins: what is sent to them ends in its lane.
  if (++lane.waiting % 64 == 0 && !torn_down_) flush_lanes();
}

void Core::flush_lanes() noexcept {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i];
    if (lane.messages.empty() && lane.returned == nullptr) continue;
    Core& to = host_.core(i);
    if (observer_ != nullptr && !observer_->takes_batch(*this, to)) continue;
    if (!ring_to(to).push({lane.messages.head, lane.returned})) continue;
    converses_ |= lane.messages.head != nullptr;
    lane = {};
    if (to.rest_.is_to_be_woken()) to.wake();
  }
}

void Core::discard_chain(Envelope* messages, Envelope* returned) noexcept {
  while (messages != nullptr) destroy(std::exchange(messages, messages->next));
  while (returned != nullptr) {
    Envelope* block = std::exchange(returned, returned->next);
    host_.core(block->home).pool_.release_class(block, block->size_class);
  }
}

void Core::receive() {
  Chains chains;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    while (rings_[i].pop(chains)) {
      for (Envelope* block = chains.returned; block != nullptr;) {
        Envelope* next = block->next;
        pool_.release_class(block, block->size_class);
        block = next;
      }
      converses_ = true;
      if (chains.messages != nullptr) received_.push_back(chains.messages);
    }
  }
  // A foreign thread's messages go first: what a core has sent because of them was taken above, and comes after.
  if (inbox_filled_.load(std::memory_order_relaxed)) receive_from_outside();
  for (Envelope* chain : received_) receive_chain(chain);
  received_.clear();
  receive_chain(posted_.take().head);
}

void Core::receive_chain(Envelope* chain) {
  while (chain != nullptr) {
    Envelope* next = chain->next;
    deliver(chain);
    chain = next;
  }
}

void Core::deliver(Envelope* envelope) {
  if (envelope->target != nullptr) {
    if (envelope->on_credit != 0) {
      mailbox::admit_on_credit(*this, *envelope->target, envelope);
    } else {
      admit(*envelope->target, envelope);
    }
    return;
  }
  envelope->handler->invoke(*this, nullptr, *envelope);
  destroy(envelope);
}

// ---- the turn ----

/// The handler threw what is caught now: its asker is told, and its supervisor decides.
void Core::failed(Cell& cell, Envelope& envelope) noexcept {
  const auto error = std::current_exception();
  if (envelope.reply) fail_ask(envelope.reply, Outcome::executed_failed, lifecycle::describe(error));
  lifecycle::fault(cell, error, envelope.handler->message);
}

[[gnu::always_inline]] inline void Core::invoke(Cell& cell, Envelope* envelope) {
  handling_.store(envelope->handler, std::memory_order_relaxed);
  try {
    envelope->handler->invoke(*this, &cell, *envelope);
  } catch (...) {
    failed(cell, *envelope);
  }
}

[[gnu::noinline]] void Core::invoke_measured(Cell& cell, Envelope* envelope) {
  if (observer_ != nullptr) {
    observer_->step_begins(*this, cell, StepKind::message, envelope->handler->message, envelope->sender);
  }
  const Instant start = clock_.read();
  invoke(cell, envelope);
  const auto took = static_cast<std::uint64_t>((clock_.read() - start).count());
  TypeStats& figures = stats(*cell.type);
  const auto bucket = static_cast<std::size_t>(std::bit_width(took >> 6));
  figures.handling_time[std::min(bucket, time_buckets - 1)].add();
  figures.handling_nanoseconds.add(took);
  if (cell.extras && cell.extras->handling_time) cell.extras->handling_time->add(took);
  if (observer_ != nullptr) observer_->step_ends(*this, cell);
}

[[gnu::always_inline]] inline bool Core::dispatch(Cell& cell, Envelope* envelope) {
  if (envelope->deadline <= now()) [[unlikely]] {
    drop(envelope, &cell, Drop::expired);
    return false;
  }
  if (envelope->reply && envelope->reply.core() == index_) {
    if (AskState* ask = find_ask(envelope->reply)) ask->entered = true;
  }
  deadline_ = envelope->deadline;  // asks made meanwhile inherit it
  ++cell.handled;
  if ((++handled_ & unmeasured_) != 0) [[likely]] {
    invoke(cell, envelope);
  } else {
    invoke_measured(cell, envelope);
  }
  deadline_ = Instant::never();
  destroy(envelope);
  return true;
}

[[gnu::always_inline]] inline void Core::go_on(Activation& activation) {
  if (activation.at_yield && !streams::leave_yield(activation)) return;
  running_ = &activation;
  deadline_ = activation.deadline;
  span_ = activation.span;
  handling_.store(activation.handler, std::memory_order_relaxed);
  activation.point.resume();
  if (activation.root.done()) activation.finish(*this, activation);
  running_ = nullptr;
  span_ = nullptr;
  deadline_ = Instant::never();
}

void Core::resume(Activation& activation) { go_on(activation); }

[[gnu::always_inline]] inline void Core::resume_next(Cell& cell) {
  Activation* activation = cell.ready_first;
  cell.ready_first = activation->ready_next;
  if (cell.ready_first == nullptr) cell.ready_last = nullptr;
  activation->ready = false;
  if (observer_ == nullptr) [[likely]] {
    go_on(*activation);
    return;
  }
  observer_->step_begins(*this, cell, StepKind::resumption, activation->handler->message, {});
  resume(*activation);
  observer_->step_ends(*this, cell);
}

void Core::run_control(Cell& cell) {
  Envelope* control = cell.control.pop();
  handling_.store(control->handler, std::memory_order_relaxed);
  // The control message may end the tenancy; the cell itself stays and is asked again.
  if (observer_ != nullptr) {
    observer_->step_begins(*this, cell, StepKind::control, control->handler->message, control->sender);
  }
  control->handler->invoke(*this, &cell, *control);
  if (observer_ != nullptr) observer_->step_ends(*this, cell);
  destroy(control);
}

[[gnu::always_inline]] inline int Core::run_cell(Cell& cell, int budget) {
  enter(&cell);
  int done = 0;
  std::uint64_t user = 0;
  const ActorType* type = cell.type;
  for (; done < budget; ++done) {
    Envelope* envelope = nullptr;
    if (cell.control.head != nullptr) [[unlikely]] {
      run_control(cell);
      if (cell.type != nullptr) type = cell.type;  // null: the tenancy ended, and what it handled still counts
      continue;
    }
    if (cell.ready_first != nullptr) {
      if (!cell.may_resume()) break;
      resume_next(cell);
      continue;
    }
    if (cell.user.head == nullptr) break;
    if (cell.is_open()) [[likely]] {
      envelope = cell.take_plainly();
    } else if (cell.may_handle()) {
      done += std::exchange(charged_, 0);
      if (done >= budget) break;
      envelope = mailbox::take(cell);
    } else {
      break;
    }
    if (dispatch(cell, envelope)) [[likely]]
      ++user;
  }
  done += std::exchange(charged_, 0);
  cell.scheduled = false;
  if (done >= budget && cell.has_work()) schedule(cell);
  if (user > 0) {
    stats(*type).handled.add(user);
    cell.last_activity = now();
  }
  return done;
}

/// What goes before all user messages: the runtime's own messages, and handlers whose answer has come.
[[gnu::always_inline]] inline int Core::run_hurried(Cell& cell, int budget) {
  enter(&cell);
  cell.hurried = false;
  int done = 0;
  for (; done < budget; ++done) {
    if (cell.control.head != nullptr) [[unlikely]] {
      run_control(cell);
    } else if (cell.may_resume()) {
      resume_next(cell);
    } else {
      break;
    }
  }
  done += std::exchange(charged_, 0);
  if (done >= budget && (cell.control.head != nullptr || cell.may_resume())) hurry(cell);
  if (cell.has_work()) schedule(cell);
  return done;
}

void Core::run_messages(TurnLimits limits) {
  const int allowed = limits.messages;
  const bool out_of_time = run_cells(limits);
  line_.note_turn(allowed - limits.messages, out_of_time);
  enter(nullptr);
}

/// Takes what it handles from the limit. True: the time was up, not the messages.
bool Core::run_cells(TurnLimits& limits) {
  const Instant end = now() + limits.time;
  Instant hand_over = now() + hand_over_pause;
  int since_clock = 0;
  int in_a_row = 0;
  int share = line_.share();
  while (true) {
    const int budget = std::min(limits.messages, share);
    int done = 0;
    // Who hurries goes first, but for ever keeps nobody waiting.
    if (!hurried_.empty() && (in_a_row < hurried_in_a_row_max || line_.empty())) {
      ++in_a_row;
      done = run_hurried(hurried_.pop(), budget);
    } else if (Cell* cell = line_.pop()) {
      in_a_row = 0;
      done = run_cell(*cell, budget);
    } else {
      return false;
    }
    limits.messages -= done;
    since_clock += done;
    if (limits.messages <= 0) return false;
    if (since_clock >= 16) {
      since_clock = 0;
      share = line_.share();
      clock_.move_to(clock_.read());
      if (now() >= end) return true;
      if (now() >= hand_over) {
        enter(nullptr);  // what comes in is nobody's deed here
        flush_lanes();
        receive();
        hand_over = now() + hand_over_pause;
      }
    }
  }
}

void Core::run_turn_end() {
  // A hook may ask for the next turn's end, and may destroy any other hook, so the list is never held aside: what is
  // asked for from here on stands behind the mark.
  if (turn_end_.first == nullptr) return;
  TurnEndMark mark;
  at_turn_end(mark);
  while (turn_end_.first != nullptr) {
    TurnEndHook* hook = turn_end_.first;
    turn_end_.remove(hook);
    hook->queued_on_ = nullptr;
    if (hook == &mark) return;
    hook->on_turn_end();
  }
}

void Core::turn(TurnLimits limits, bool may_wait) {
  clock_.move_to(clock_.read());
  turns_.add();
  receive();
  if (observer_ != nullptr) observer_->turn_begins(*this);
  run_messages(limits);
  if (!leaving_.empty()) [[unlikely]]
    release_cells();
  if (!timeless_.empty() && (line_.empty() || now() >= placing_)) place_asks();
  timers_.advance(now());
  run_turn_end();
  flush_lanes();
  wait(may_wait);
}

}  // namespace troupe::actor
