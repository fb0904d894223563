// Core: one event loop on one thread: it runs its actors, its timers and its sockets, and talks to the other cores.
//
// A turn: what came from elsewhere, then messages (control and resumed handlers before user
// messages), then timers, then what was promised for the end of the turn, then sockets.
// Everything here is called on the core's own thread unless it says otherwise. A simulated
// core is the same object whose turns the simulator calls.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "troupe/actor/runtime/ask_state.h"
#include "troupe/actor/runtime/block_pool.h"
#include "troupe/actor/runtime/cell.h"
#include "troupe/actor/runtime/cell_queue.h"
#include "troupe/actor/runtime/envelope.h"
#include "troupe/actor/runtime/host.h"
#include "troupe/actor/runtime/inbox_limit.h"
#include "troupe/actor/runtime/observer.h"
#include "troupe/actor/runtime/poller.h"
#include "troupe/actor/runtime/rest.h"
#include "troupe/actor/runtime/ring.h"
#include "troupe/actor/runtime/run_line.h"
#include "troupe/actor/runtime/span.h"
#include "troupe/actor/runtime/stats.h"
#include "troupe/actor/runtime/timers.h"
#include "troupe/actor/runtime/trail.h"
#include "troupe/actor/runtime/turn_clock.h"
#include "troupe/actor/runtime/turn_end.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"

namespace troupe::actor {

struct CoreOptions {
  int index = 0;
  int cores = 1;
  base::Clock* clock = nullptr;
  std::unique_ptr<base::Random> random;
  std::unique_ptr<Poller> poller;
  Observer* observer = nullptr;
  std::size_t lane_limit = 16 * 1024;  // messages that wait for a full ring, to one core
  Duration spin{};                     // see SystemOptions
};

/// The number of the cell's present tenant. Own core.
inline ActorId id_of(const Cell& cell) noexcept {
  return {static_cast<std::uint64_t>(cell.number) << 32 | cell.generation.load(std::memory_order_relaxed)};
}

class CreditBook;
class DeadLetterBox;
class Departed;

class Core {
 public:
  Core(Host& host, CoreOptions options);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core();

  /// The core whose turn this thread runs; null outside of turns and on foreign threads.
  static Core* current() noexcept { return current_; }

  int index() const noexcept { return index_; }
  Host& host() noexcept { return host_; }
  /// Of this turn.
  Instant now() const noexcept { return clock_.now(); }
  base::UnixTime wall() noexcept { return clock_.wall(); }
  /// Read anew.
  Instant read_clock() const noexcept { return clock_.read(); }
  base::Random& random() noexcept { return *random_; }
  Poller& poller() noexcept { return *poller_; }
  TimerWheel& timers() noexcept { return timers_; }
  BlockPool& pool() noexcept { return pool_; }

  /// Runs `work` in a later turn of this core, outside of any actor.
  void post(std::move_only_function<void(Core&)> work);
  /// The same from any thread.
  void post_remotely(std::move_only_function<void(Core&)> work);
  /// Calls the hook at the end of this turn; asking twice is asking once.
  void at_turn_end(TurnEndHook& hook) noexcept;

  // ---- what refs, tasks and supervision are made of ----

  template <class M>
  Envelope* make(const Handler& handler, Address target, M&& message);
  /// The same for a message of a user: within a trace it bears the context of what sends it.
  template <class M>
  Envelope* make_message(const Handler& handler, Address target, M&& message) {
    if (span_ == nullptr || handler.traced == nullptr) [[likely]]
      return make(handler, target, std::forward<M>(message));
    using Message = std::remove_cvref_t<M>;
    return make(*handler.traced, target, Traced<Message>{std::forward<M>(message), span_->context});
  }
  /// The same within the trace that is named; null: within none.
  template <class M>
  Envelope* make_within(const base::TraceContext* trace, const Handler& handler, Address target, M&& message);
  template <class M>
  static Envelope* make_on(Core* here, const Handler& handler, Address target, M&& message);
  /// Ends the life of the message and sends the block home.
  void destroy(Envelope* envelope) noexcept {
    if (!envelope->handler->trivial) envelope->handler->destroy(*envelope);
    if (envelope->home == index_ || envelope->size_class == BlockPool::classes) [[likely]] {
      pool_.release_class(envelope, envelope->size_class);
    } else {
      send_home(envelope);
    }
  }

  /// What this core may send to mailboxes of others (credit_book.h).
  CreditBook& credits() noexcept { return *credits_; }
  /// Where asks of other cores went from here (trail.h).
  Trail& trail() noexcept { return trail_; }
  /// Hands over a message whose place is reserved.
  void to_lane_paid(Core& to, Envelope* envelope);
  /// The message of a foreign thread, as it comes; and its end, counted, if it may not come. Any thread.
  Sent to_inbox(Envelope* envelope);
  void refuse_from_outside(Envelope* envelope, Drop reason);

  /// Hands an envelope to its target's core: this one, another, or from a foreign thread (`here` null).
  static Sent submit(Core* here, Core& to, Envelope* envelope);

  template <class T, class... Args>
  T* create(Args&&... args) {
    return new (pool_.allocate(sizeof(T))) T(std::forward<Args>(args)...);
  }
  template <class T>
  void dispose(T* object) noexcept {
    std::destroy_at(object);
    pool_.release(object, sizeof(T));
  }

  /// Takes back memory of this core's pool, on whichever thread it was last used.
  void take_back(void* memory, std::size_t bytes) noexcept {
    if (current_ == this) [[likely]] {
      pool_.release(memory, bytes);
    } else {
      take_back_from_elsewhere(memory, bytes);
    }
  }

  /// A cell for an actor to come; its messages are taken, and bounded, from now on. Own thread; any for the second.
  Cell& reserve(const MailboxOptions& mailbox);
  /// The latter also for one who brings so many messages, so many bytes, from another core.
  Cell& reserve_remotely(const MailboxOptions& mailbox, std::uint32_t messages = 0, std::size_t bytes = 0);
  void free_cell(Cell& cell) noexcept;

  /// Those that left this core for another (migrate.h).
  Departed& departed();
  /// Where a tenant of a cell of this core that is gone lives now; null where it lives nowhere.
  Address moved_to(const Cell& cell, std::uint32_t generation) const noexcept;

  /// Whether the other core has taken all that this one has sent it.
  bool all_taken_by(Core& to) noexcept {
    return lanes_[static_cast<std::size_t>(to.index_)].messages.empty() && ring_to(to).empty();
  }

  void schedule(Cell& cell) noexcept {
    if (cell.scheduled) return;
    cell.scheduled = true;
    line_.push(cell);
  }
  /// The same, for what goes before all user messages: answers, and the runtime's own messages.
  void hurry(Cell& cell) noexcept {
    if (cell.hurried) return;
    cell.hurried = true;
    hurried_.push(cell);
  }
  /// A handler goes on when its actor's turn comes.
  void make_ready(Activation& activation) noexcept {
    if (link_ready(activation)) schedule(*activation.cell);
  }
  /// A handler goes on before any user message: the answer that it waits for has come.
  void make_ready_first(Activation& activation) noexcept {
    if (link_ready(activation)) hurry(*activation.cell);
  }
  Activation* running() const noexcept { return running_; }
  /// Any thread, as are the next three: what the watchdog looks at.
  Cell* running_cell() const noexcept { return running_cell_.load(std::memory_order_relaxed); }
  Doing doing() const noexcept;
  std::uint64_t turns() const noexcept { return turns_.value(); }
  bool is_asleep() const noexcept { return rest_.sleeps(); }
  Instant deadline() const noexcept { return deadline_; }
  /// For what must not end with the ask that is being handled, until it is set back.
  void set_deadline(Instant deadline) noexcept { deadline_ = deadline; }
  Activation& begin(Cell& cell, Envelope& envelope);
  void end(Activation& activation) noexcept;
  /// Runs an activation until its next await or its end.
  void resume(Activation& activation);
  /// Runs `f` as a part of the actor: its faults are the actor's. `what` lives as long as the program.
  template <class F>
  void within(Cell& cell, const char* what, F&& f);

  /// Counts the messages of a batch beyond the first, which was counted when it was dispatched.
  void count_batch(Cell& cell, std::size_t more) noexcept {
    cell.handled += more;
    stats(*cell.type).handled.add(more);
    charged_ += static_cast<int>(more);
  }

  /// The span of the handler that runs now; null outside of traces.
  const Span* span() const noexcept { return span_; }
  /// Lets the running handler have a span in the trace of `parent` (none of its own: a new trace begins).
  void open_span(const base::TraceContext& parent, std::string name, bool is_entry = false);
  /// Ends the span that `open_span` made, unless the handler waits and keeps it.
  void close_span(bool failed) noexcept;
  /// The finished spans of this core, and how many found no room since the last time.
  SpanBuffer take_spans();

  void open_ask(AskState& ask, Address target, Instant deadline);
  /// A slot that others find by its id, without a callee and without a deadline: an end of a stream.
  void open_slot(AskState& slot);
  void close_ask(AskState& ask) noexcept;
  /// Gives what has a slot and a deadline its timer, as `open_ask` does.
  void time_ask(AskState& ask);
  /// Closes an ask that its frame or its asker's patience ends, and lets the callee know (asking.h). Where that is on
  /// another core, the slot has its next tenant only when the news has come to its end (`withdrawal_ended`): so whoever
  /// the next one asks is not reached before it.
  void abandon_ask(AskState& ask) noexcept;
  void withdrawal_ended(ReplyTo ask) noexcept;
  /// The ask that a suspended handler waits for now, or its wait for a stream's next item; null: something else.
  AskState* ask_of(const Activation& activation) noexcept;
  /// The stream that a suspended handler gives; null: it gives none.
  AskState* source_of(const Activation& activation) noexcept;
  /// The asker's state if it still waits on this core; null: too late.
  AskState* find_ask(ReplyTo reply) noexcept;
  void finish_ask(AskState& ask) noexcept;
  /// Answers an asker on any core that there will be no answer.
  void fail_ask(ReplyTo reply, Outcome outcome, std::string what);

  /// Into the mailbox, or what its overflow policy says (mailbox.h).
  Sent admit(Cell& cell, Envelope* envelope);
  /// The way of nearly every message: a normal one to an actor of this core that has room. False: ask `admit`.
  bool admit_quickly(Cell& cell, Envelope* envelope) noexcept {
    if (cell.generation.load(std::memory_order_relaxed) != envelope->generation || cell.depth >= cell.quick)
      return false;
    ++cell.depth;
    cell.user.push(envelope);
    schedule(cell);
    return true;
  }
  /// Counts it, tells an asker `not_executed`, and ends the message.
  void drop(Envelope* envelope, Cell* cell, Drop reason) noexcept;
  void count_dropped(const Envelope& envelope, const ActorType& type, Drop reason, std::uint64_t n) noexcept;

  TypeStats& stats(const ActorType& type) {
    const std::uint32_t index = type.index.load(std::memory_order_relaxed);
    if (index < stats_.size()) [[likely]] {
      if (TypeStats* figures = stats_[index].load(std::memory_order_relaxed)) [[likely]]
        return *figures;
    }
    return first_stats(type);
  }
  /// Any thread. Null where this core never had such an actor.
  const TypeStats* stats_of(std::uint32_t type_index) const noexcept;

  /// Calls `f(Cell&)` for every cell with a tenant.
  template <class F>
  void for_each_cell(F&& f) {
    auto visit = [&f](std::vector<Slab>& slabs) {
      for (auto& slab : slabs) {
        for (std::size_t i = 0; i < slab.used; ++i) {
          if (slab.cells[i].state != CellState::free) f(slab.cells[i]);
        }
      }
    };
    visit(slabs_);
    const std::lock_guard lock{inbox_mutex_};  // other threads reserve cells among these
    visit(remote_slabs_);
  }

  /// Counts what concerns no known type of actor: replies.
  void count_unaddressed(Drop reason, std::uint64_t n = 1) noexcept;
  /// Any thread. How many drops were counted but not told to who listens to dead letters.
  std::uint64_t dead_letters_left_out() const noexcept { return dead_letters_left_out_.value(); }

  /// Keeps the record of a child that nobody waits for any more, until the child has ended.
  void abandon(ChildRecord& record) noexcept;
  void forget_abandoned(ChildRecord& record) noexcept;

  // ---- the loop ----

  struct TurnLimits {
    int messages = 1024;
    Duration time = std::chrono::microseconds{500};
  };
  /// One turn. `may_wait`: sleep in the poller when there is nothing to do.
  void turn(TurnLimits limits, bool may_wait);
  /// Whether a turn now would do anything beside waiting. For the simulator, as are the next three.
  bool has_work() noexcept;
  RunLine& line() noexcept { return line_; }
  /// How many asks of this core's actors wait for their outcome; how many there is room for, which never shrinks.
  std::size_t open_asks() const noexcept;
  std::size_t ask_slots() const noexcept { return reply_slots_.size(); }
  void run_until_stopped();
  /// Any thread.
  void request_stop() noexcept;
  void wake() noexcept;
  bool is_torn_down() const noexcept { return torn_down_; }
  /// The system ends: from now on foreign threads may bring less at once. Any thread.
  void narrow_inbox(InboxLimit::Ending ending) noexcept;
  void count_receivers(std::size_t of_publication) noexcept { published_to_ += of_publication; }
  /// After the last turn of all cores: what foreign threads have sent, and send from now on, ends here unread.
  void close_inbox() noexcept;
  /// Ends all that is left, after that.
  void tear_down() noexcept;
  /// Frees what was under way between cores, after all of them are torn down.
  void discard_all() noexcept;

  /// Makes this core the current one of this thread for a scope. For the simulator and for tear-down.
  class Scope {
   public:
    explicit Scope(Core& core) noexcept : before_(current_) { current_ = &core; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { current_ = before_; }

   private:
    Core* before_;
  };

 private:
  friend class TurnEndHook;

  struct Slab {
    std::unique_ptr<std::byte[]> memory;
    Cell* cells = nullptr;
    std::size_t used = 0;
  };
  struct ReplySlot {
    AskState* ask = nullptr;
    ReplyTo id;  // of its tenant, or of the next one
    std::uint32_t next_free = 0;
    bool listed = false;     // in timeless_
    bool withdrawn = false;  // its last tenant was, and its callee has yet to learn of it
  };
  /// Messages of foreign threads that were refused, for one target and reason.
  struct Refused {
    const Handler* handler;
    Address target;
    Drop reason;
    std::uint64_t count;
  };
  struct Lane {
    EnvelopeList messages;
    Envelope* returned = nullptr;
    std::size_t waiting = 0;
  };
  static constexpr std::uint32_t no_slot = UINT32_MAX;
  static constexpr Duration placing_pause = std::chrono::milliseconds{32};
  static constexpr std::size_t slab_cells = 256;

  void receive();
  void take_back_from_elsewhere(void* memory, std::size_t bytes) noexcept;
  void send_home(Envelope* block) noexcept;
  void discard_chain(Envelope* messages, Envelope* returned) noexcept;
  void receive_from_outside();
  void receive_chain(Envelope* chain);
  void deliver(Envelope* envelope);
  int run_cell(Cell& cell, int budget);
  int run_hurried(Cell& cell, int budget);
  void run_control(Cell& cell);
  void resume_next(Cell& cell);
  void go_on(Activation& activation);
  /// False: the message had expired and was dropped.
  bool dispatch(Cell& cell, Envelope* envelope);
  void invoke(Cell& cell, Envelope* envelope);
  void invoke_measured(Cell& cell, Envelope* envelope);
  void failed(Cell& cell, Envelope& envelope) noexcept;
  void enter(Cell* cell) noexcept {
    running_cell_.store(cell, std::memory_order_relaxed);
    running_id_ = cell != nullptr ? id_of(*cell) : ActorId{};
  }
  void run_messages(TurnLimits limits);
  bool run_cells(TurnLimits& limits);
  void run_turn_end();
  void flush_lanes() noexcept;
  void wait(bool may_wait);
  void poll(std::optional<Duration> timeout);
  bool is_answered_soon();
  bool is_spoken_to() const noexcept;
  Sent to_lane(Core& to, Envelope* envelope);
  Sent from_outside(Envelope* envelope);
  void refuse_foreign(const Envelope& envelope, Drop reason);
  void count_refused(Refused& refused) noexcept;
  void mourn(const DeadLetter& letter, std::uint64_t n) noexcept;
  void finish_span(Span& span, bool failed) noexcept;
  /// There always is a free one; whoever takes the last adds another.
  ReplySlot& take_slot(AskState& ask) noexcept;
  void add_slot();
  void prepare_ask(AskState& ask);
  /// Gives a timer to each ask that has none yet: before the core sleeps, and while it does not, every `placing_pause`.
  void place_asks() noexcept;
  TypeStats& first_stats(const ActorType& type);
  Cell& carve_cell();
  /// Lets other threads have the cells that this core has now looked at for the last time.
  void release_cells() noexcept;
  std::uint32_t number_of(std::uint32_t place) const noexcept {
    return static_cast<std::uint32_t>(index_) << 24 | place;
  }
  static bool link_ready(Activation& activation) noexcept {
    if (activation.ready) return false;
    Cell& cell = *activation.cell;
    activation.ready = true;
    activation.ready_next = nullptr;
    (cell.ready_last != nullptr ? cell.ready_last->ready_next : cell.ready_first) = &activation;
    cell.ready_last = &activation;
    return true;
  }
  Ring& ring_to(Core& to) noexcept { return to.rings_[static_cast<std::size_t>(index_)]; }

  inline static constinit thread_local Core* current_ = nullptr;

  Host& host_;
  const int index_;
  TurnClock clock_;
  std::unique_ptr<base::Random> random_;
  std::unique_ptr<Poller> poller_;
  Observer* const observer_;
  const std::size_t lane_limit_;
  const Duration spin_;
  BlockPool pool_;

  RunLine line_{TurnLimits{}.messages};
  CellQueue hurried_;                              // who goes before the line
  std::atomic<Cell*> running_cell_{nullptr};       // this and the next four: relaxed, read by the watchdog
  std::atomic<const Handler*> handling_{nullptr};  // null: a callback, by its name and the class of its actor
  std::atomic<const char*> callback_{nullptr};
  std::atomic<const ActorType*> callback_of_{nullptr};
  Tally turns_;
  ActorId running_id_;  // of running_cell_, the sender of what is told meanwhile
  Activation* running_ = nullptr;
  Instant deadline_ = Instant::never();
  Span* span_ = nullptr;  // of the handler that runs now
  std::unique_ptr<SpanBuffer> finished_spans_;
  std::uint64_t handled_ = 0;
  std::uint64_t published_to_ = 0;  // receivers here of what came from elsewhere
  bool converses_ = false;          // messages have come from other cores, or gone to them, since the last wait
  Lookout lookout_;
  Instant polled_;                  // when it looked at its sockets last
  int charged_ = 0;                 // what a turn's budget must still be told of batches
  const std::uint64_t unmeasured_;  // of `handled_`: while one of these bits is set the time is not taken
  EnvelopeList posted_;
  std::vector<Envelope*> received_;  // chains taken from the rings in this turn
  NodeList<TurnEndHook> turn_end_;

  std::vector<ReplySlot> reply_slots_;
  std::uint32_t free_reply_slot_ = no_slot;
  Instant placing_;                      // before it no ask without a timer is due
  std::vector<std::uint32_t> timeless_;  // slots whose ask may have no timer yet, each once

  TimerWheel timers_;  // large, so it stands behind what every message touches

  NodeList<ChildRecord> abandoned_;  // children that outlived their parent's patience or its end

  std::vector<Slab> slabs_;
  std::vector<Cell*> free_cells_;
  std::vector<Cell*> leaving_;  // free, reserved remotely, and still scheduled
  std::uint32_t next_cell_ = 0;

  std::vector<Lane> lanes_;        // by receiving core
  std::unique_ptr<Ring[]> rings_;  // by sending core
  Rest rest_;  // others read it with each batch they send, so nothing stands by it that changes often
  std::atomic<bool> stop_{false};
  bool torn_down_ = false;

  std::mutex inbox_mutex_;  // guards the next five
  EnvelopeList inbox_;
  std::vector<Refused> inbox_refused_;  // not yet in the statistics
  InboxLimit inbox_limit_;
  std::vector<Cell*> remote_free_cells_;
  std::vector<Slab> remote_slabs_;
  std::atomic<bool> inbox_filled_{false};

  std::array<std::atomic<TypeStats*>, types_max> stats_{};
  Tally dead_letters_left_out_;
  std::unique_ptr<DeadLetterBox> dead_letters_;
  std::unique_ptr<Departed> departed_;
  std::unique_ptr<CreditBook> credits_;
  Trail trail_;
};

inline AskState::~AskState() {
  if (id) core->abandon_ask(*this);
}

/// The number of an actor type in the statistics, given at its first use. Any thread; at most `types_max` types.
std::uint32_t index_of(const ActorType& type);
/// The types that have a number, in its order.
std::vector<const ActorType*> known_types();

}  // namespace troupe::actor

#include "troupe/actor/runtime/core_inline.h"
