// Cell: the place of one actor on its core: mailbox, object, running handlers, place in the tree.
//
// Owned by its core; every field but `owner`, `number` and `generation` is touched on that
// core's thread only. The memory of a cell is never given back while the system lives: an
// actor that ends leaves it to a successor with the next generation, so a stale Address
// is recognised and never dangles. What most actors do not need stands in CellExtras.
#pragma once

#include <atomic>
#include <coroutine>
#include <memory>
#include <string>
#include <vector>

#include "troupe/actor/runtime/context.h"
#include "troupe/actor/runtime/envelope.h"
#include "troupe/actor/runtime/ledger.h"
#include "troupe/actor/runtime/options.h"
#include "troupe/actor/runtime/stats.h"
#include "troupe/actor/runtime/tenancy.h"
#include "troupe/actor/runtime/timers.h"

namespace troupe::actor {

class Inspection;
struct Forwarding;
namespace credits {
class Claimant;
struct Desk;
}  // namespace credits

/// What the runtime knows of an actor's class. Static, one for each class.
struct ActorType {
  std::string_view name;
  /// Whether the start is through already; if not it says so by `lifecycle::start_is_through`.
  bool (*started)(Cell& cell, void* object) = nullptr;
  void (*stopped)(Cell& cell, void* object) = nullptr;
  void (*inspect)(const void* object, Inspection& out) = nullptr;
  const Handler* terminated = nullptr;
  mutable std::atomic<std::uint32_t> index{UINT32_MAX};  // in the statistics; given at first use
};

/// The actor's object and the arguments that construct it.
class Body {
 public:
  virtual ~Body() = default;
  /// Constructs the actor from the kept arguments and returns it; passes on what the constructor throws.
  virtual void* construct() = 0;
  virtual void destroy() noexcept = 0;
};

/// One run of a coroutine handler, from its first await to its end. Its frames die with it.
struct Activation {
  Cell* cell = nullptr;
  Activation* previous = nullptr;
  Activation* next = nullptr;
  Activation* ready_next = nullptr;
  bool ready = false;
  bool exclusive = false;               // nothing else is handled meanwhile, whatever the type says
  bool interleaves = false;             // others are handled meanwhile
  bool at_yield = false;                // a stream that waits for credit; in_flight does not count it
  bool postponed = false;               // it has credit and waits in CellExtras::postponed
  bool unwanted = false;                // its asker has gone: it ends at its next await that is not shielded
  std::uint8_t shields = 0;             // reasons not to end it now
  std::uint32_t ask_slot = 0;           // of what it has asked, or read from, last (Core::ask_of)
  std::uint32_t source_slot = 0;        // of the stream that it gives (Core::source_of)
  struct SendState* sending = nullptr;  // the `send` that waits for room on this core
  std::coroutine_handle<> root{};
  std::coroutine_handle<> point{};               // where the innermost await waits
  void (*finish)(Core&, Activation&) = nullptr;  // answers; called once the root has ended
  ReplyTo reply{};
  Instant deadline = Instant::never();
  const Handler* handler = nullptr;
  struct Span* span = nullptr;  // its own, where it runs within a trace

  /// Whether it suspends its actor. Those that do stand first among their actor's.
  bool suspends() const noexcept { return !interleaves && !at_yield; }
};

/// Where a child stands in the eyes of its parent. A parent on another core learns of what happened a little later.
enum class ChildPhase : std::uint8_t {
  up,        // started, or on its way with nobody waiting for it
  failed,    // it waits for a decision: its parent's, or the one about its parent
  halting,   // asked to put its object down and to wait
  halted,    // has no object and waits for its start; its mailbox is open
  starting,  // asked to start; the parent waits for it
  stopping,  // asked to end
};

/// What a parent notes on the few children that have a past, or a name on another core. The timer is the next restart
/// of one alone.
struct ChildExtras : TimerNode {
  explicit ChildExtras(struct ChildRecord& its_record);
  ChildRecord& record;
  std::string name;
  std::uint32_t attempt = 0;  // restarts in a row
  Instant last_restart{};
};

/// A parent's note on one child. Owned by the parent; no more than a small block, since every child has one.
struct ChildRecord {
  Cell* parent = nullptr;  // null: abandoned
  Address child;
  ChildRecord* previous = nullptr;
  ChildRecord* next = nullptr;
  std::unique_ptr<ChildExtras> extras;
  std::uint32_t shutdown_milliseconds = 0;
  Restart restart = Restart::permanent;
  ChildPhase phase = ChildPhase::up;
  bool in_round : 1 = false;     // restarts or starts together with others
  bool ran_before : 1 = false;   // its next start is a restart
  bool has_started : 1 = false;  // of one that has failed: its start was through

  ChildExtras& more() {
    if (!extras) extras = std::make_unique<ChildExtras>(*this);
    return *extras;
  }
};
static_assert(sizeof(ChildRecord) <= 64);

/// The children that are being restarted together, or started in order. A parent has one at a time: a fault meanwhile
/// widens it, or sends it back to its first step.
struct Round : TimerNode {
  explicit Round(Cell& its_cell);
  enum class Step : std::uint8_t { halting, waiting, starting };
  Cell& cell;
  Step step = Step::halting;
  bool own_start = false;  // the parent has started only when it is through
  Instant not_before{};    // the back-off
};

/// A message that waits outside a full mailbox: parked by `block`, or a `send` in progress.
struct Waiter : TimerNode {
  Waiter();
  ~Waiter();
  Cell* target = nullptr;
  Envelope* envelope = nullptr;  // null: `claimant` waits for credits
  Instant since{};
  Cell* parked_for = nullptr;  // the sender whose next user message must wait; null for a send
  std::uint32_t parked_generation = 0;
  struct SendState* send = nullptr;  // a `send` on this core
  credits::Desk* desk = nullptr;     // where it waits, if the target is on another core
  std::unique_ptr<credits::Claimant> claimant;
  std::uint32_t wanted = 0;  // credits
  Waiter* previous = nullptr;
  Waiter* next = nullptr;
};

/// A message to come, started by `after` or `every`. Lives in the pool of its core.
struct ActorTimer : TimerNode {
  ActorTimer();
  virtual Envelope* make(Core& core) = 0;
  virtual void dispose(Core& core) noexcept = 0;
  Cell* cell = nullptr;
  ActorTimer* previous = nullptr;
  ActorTimer* next = nullptr;
  std::string key;
  std::unique_ptr<base::TraceContext> trace;  // of the handler that set it, for its one message
  Duration period{};                          // zero: once
  Instant due = Instant::never();             // of a timer that is armed
  bool queued = false;                        // its message stands in the mailbox
  bool cancelled = false;                     // while queued; the message frees it

 protected:
  ~ActorTimer() = default;
};

/// Bounds a parent's wait for the child that is ending or halting now.
struct StopTimer : TimerNode {
  StopTimer(Cell& waiting, ChildRecord& for_whom) noexcept;
  Cell& cell;
  ChildRecord& awaited;
};

template <class Node>
struct NodeList {
  Node* first = nullptr;
  Node* last = nullptr;

  void push(Node* node) noexcept {
    node->previous = last;
    node->next = nullptr;
    (last != nullptr ? last->next : first) = node;
    last = node;
  }
  void push_front(Node* node) noexcept {
    node->previous = nullptr;
    node->next = first;
    (first != nullptr ? first->previous : last) = node;
    first = node;
  }
  void remove(Node* node) noexcept {
    (node->previous != nullptr ? node->previous->next : first) = node->next;
    (node->next != nullptr ? node->next->previous : last) = node->previous;
  }
};

/// Who is told of an actor's end, and under which of its addresses he knows it.
struct WatchEntry {
  Address watcher;  // null: the core of `known_as` is told
  const Handler* handler;
  Address known_as;
};

/// A core where an actor that has moved since is a subscriber still, under the address that it had there: what is
/// published reaches it from there (topic_directory.h).
struct TopicHome {
  Address as;
  std::vector<struct TopicEntry*> topics;
  std::uint64_t said = 0;  // how much news it was told, so that none overtakes another
};

struct CellExtras {
  std::string name;
  std::unique_ptr<const std::string> above;  // the path of its parent, where that is on another core
  Supervision supervision;
  Duration block_for = 5s;
  NodeList<ChildRecord> children;
  std::vector<Instant> restarts;  // of children, within the intensity's window, at most as many as it allows
  std::vector<WatchEntry> watchers;
  std::unique_ptr<std::vector<TopicHome>> topic_homes;  // null: it has not moved, or subscribed to nothing before
  NodeList<ActorTimer> timers;
  std::unique_ptr<HandlingTime> handling_time;  // of what is measured, where somebody asked for it
  NodeList<Waiter> waiters;                     // outside this actor's full mailbox
  std::vector<Activation*> postponed;           // streams that go on once no handler suspends the actor
  std::uint32_t streams = 0;                    // that this actor gives
  std::uint32_t readers = 0;                    // of streams, that this actor has opened and not closed
  std::uint32_t waiting = 0;
  std::uint32_t parked = 0;  // messages of this actor that wait outside other mailboxes
  std::uint32_t errors = 0;
  std::uint32_t times_restarted = 0;
  std::string last_failure;
  std::unique_ptr<StopTimer> stop_timer;
  EnvelopeList stash;
  std::uint32_t stashed = 0;
  std::uint32_t stash_max = MailboxOptions{}.stash_max;
  std::unique_ptr<mailbox::Ledger> ledger;  // of a mailbox with more to it than a count
  Address front;                            // where others should reach it, if not here: of a lazy actor
  std::shared_ptr<Forwarding> forwarding;   // of a cell that passes messages on (forward.h)
  std::unique_ptr<Round> round;
  bool keeps_children = false;  // its restart restarts them too, in order, instead of ending them
  bool announces = false;       // its parent waits to be told that its start is through
  bool halts_healthy = false;   // while it restarts: nothing was wrong with it, so it is told that it stops
  bool draining = false;        // ends once its last suspended handler has
  bool drains_itself = false;   // ... because it asked for it
};

/// `restarting`: on its way to `halted`, where it has no object and waits for its parent to start it.
enum class CellState : std::uint8_t { free, reserved, starting, running, failed, restarting, halted, stopping };

inline constexpr std::uint8_t hold_waiters = 1;  // somebody waits for room in this mailbox
inline constexpr std::uint8_t hold_parked = 2;   // messages of this actor wait outside other mailboxes
inline constexpr std::uint8_t hold_batch = 8;    // what is queued is a batch that may still fill
inline constexpr std::uint8_t hold_offer = 16;   // room that is left may be offered to other cores
inline constexpr std::uint8_t hold_ledger = 4;   // its mailbox has a ledger

class alignas(64) Cell : public Context {
 public:
  Cell(Core& its_core, std::uint32_t its_number) noexcept : owner(&its_core), number(its_number) {}

  Core* const owner;
  Tenancy generation;          // others compare, only the owner's verdict counts; and what is offered to them
  const std::uint32_t number;  // core in the upper 8 bits, place on it in the lower 24

  Watched depth;  // pools on other cores look at this and at `in_flight`
  std::uint32_t capacity = 0;
  std::uint32_t lent = 0;  // places that other cores may fill: credits that are offered, held or under way
  Watched in_flight;
  std::uint32_t in_flight_max = 0;
  /// Below this depth a normal message is admitted unasked; 0: the mailbox is asked (mailbox.h).
  std::uint16_t quick = 0;
  CellState state = CellState::free;
  bool scheduled = false;
  std::uint8_t held = 0;  // of `hold` above: what must be asked before its next user message is taken
  std::uint8_t exclusive = 0;
  Overflow overflow : 2 = Overflow::backpressure;
  Restart restart : 2 = Restart::transient;
  bool reserved_remotely : 1 = false;  // goes back to the list that other threads take from
  bool pending_stop : 1 = false;       // asked for before the start has come
  bool failed_for_good : 1 = false;    // ends because its supervisor gave it up
  bool has_started : 1 = false;        // this incarnation's start is through
  bool hurried : 1 = false;            // stands among those who go before the line

  EnvelopeList user;
  EnvelopeList control;
  NodeList<Activation> activations;
  Activation* ready_first = nullptr;
  Activation* ready_last = nullptr;
  Cell* run_next = nullptr;

  const ActorType* type = nullptr;
  Body* body = nullptr;
  void* object = nullptr;
  ChildRecord* record = nullptr;  // the parent's; on another core it is only handed back
  [[no_unique_address]] Address parent;
  std::uint32_t sheddable = 0;  // of what is queued; it fits behind the address
  std::unique_ptr<CellExtras> extras;
  std::uint64_t handled = 0;
  Instant last_activity{};

  CellExtras& more() {
    if (!extras) extras = std::make_unique<CellExtras>();
    return *extras;
  }
  std::uint32_t place() const noexcept { return number & 0xffffff; }
  /// The first cell of the first core is the root of the tree, from the beginning to the end. Any thread.
  bool is_root() const noexcept { return number == 0; }
  Address address() noexcept { return {this, generation.load(std::memory_order_relaxed)}; }
  bool is(std::uint32_t g) const noexcept {
    return generation.load(std::memory_order_relaxed) == g && state != CellState::free;
  }
  /// Whether its next user message may be handled now.
  bool may_handle() const noexcept {
    return state == CellState::running && exclusive == 0 && (held & (hold_parked | hold_batch)) == 0 &&
           (in_flight == 0 || may_interleave());
  }
  /// Whether its next user message may be handled beside the handlers that are suspended. What only looks does not
  /// overtake an earlier message either.
  bool may_interleave() const noexcept {
    if (in_flight >= in_flight_max || user.head == nullptr) return false;
    return !activations.first->suspends() || user.head->handler->reads;
  }
  /// Whether a handler that lets nothing else run is suspended.
  bool is_suspended() const noexcept { return in_flight > 0 && activations.first->suspends(); }
  /// Whether the next user message may be handled without a further question.
  bool is_open() const noexcept {
    constexpr auto running = static_cast<std::uint32_t>(CellState::running);
    return ((static_cast<std::uint32_t>(state) ^ running) | held | exclusive | in_flight) == 0;
  }
  /// Takes the next message where `is_open`: nobody waits for the room that it leaves.
  Envelope* take_plainly() noexcept {
    Envelope* envelope = user.pop();
    --depth;
    if (envelope->handler->message_class == MessageClass::sheddable) [[unlikely]]
      --sheddable;
    return envelope;
  }
  /// Whether a suspended handler that is ready may go on now; while the actor has failed, its frames wait or die.
  bool may_resume() const noexcept { return ready_first != nullptr && state == CellState::running; }
  bool has_work() const noexcept { return !control.empty() || may_resume() || (!user.empty() && may_handle()); }
};

static_assert(sizeof(Cell) <= 192, "with its record an idle actor costs 256 bytes beside its object");

inline Cell& cell_of(Context& context) noexcept { return static_cast<Cell&>(context); }
inline const Cell& cell_of(const Context& context) noexcept { return static_cast<const Cell&>(context); }

}  // namespace troupe::actor
