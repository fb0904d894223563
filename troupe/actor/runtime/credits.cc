// See credits.h.
#include "troupe/actor/runtime/credits.h"

#include <condition_variable>

#include "troupe/actor/runtime/control.h"
#include "troupe/actor/runtime/credit_book.h"
#include "troupe/actor/runtime/mailbox.h"

namespace troupe::actor::credits {
namespace {

constexpr std::uint32_t lent_max = 1u << 24;  // Tenancy has room for four times as many

/// What is offered of so much room: nearly all, but the actors of the own core need not take back at once.
std::uint32_t share_of(std::uint32_t room) noexcept { return room <= 1 ? room : room - std::max(1u, room / 8); }

std::uint32_t room_in(Cell& cell) noexcept {
  const std::uint64_t taken = std::uint64_t{cell.depth} + cell.lent;
  const std::uint64_t places = taken < cell.capacity ? cell.capacity - taken : 0;
  std::uint64_t room = std::min<std::uint64_t>(places, lent_max - std::min(cell.lent, lent_max));
  if (const auto* ledger = mailbox::ledger_of(cell); ledger != nullptr && ledger->credit_unit > 0) {
    const std::size_t unit = unit_bytes(ledger->credit_unit);
    const std::size_t free = ledger->bytes_max - std::min(ledger->bytes_max, ledger->bytes);
    room = std::min<std::uint64_t>(room, free / unit - std::min<std::size_t>(free / unit, cell.lent));
  }
  return static_cast<std::uint32_t>(room);
}

bool is_open(const Cell& cell) noexcept {
  return cell.generation.passage(cell.generation.load(std::memory_order_relaxed)).on_credit;
}

void lend_more(Cell& cell, std::uint32_t n) noexcept {
  cell.lent += n;
  cell.quick = mailbox::quick_for(cell);
}

void come_back(Cell& cell, std::uint32_t n) noexcept {
  cell.lent -= std::min(n, cell.lent);
  cell.quick = mailbox::quick_for(cell);
}

struct Granted {
  Address mailbox;
  Grant grant;
};

constexpr Handler granted_handler{
    .invoke =
        [](Core& core, Cell*, Envelope& envelope) {
          const auto& granted = envelope.message<Granted>();
          core.credits().granted(granted.mailbox, granted.grant);
        },
    .destroy = destroy_message<Granted>,
    .message = "credits",
    .message_class = MessageClass::control,
    .runtime = true,
};

void send_grant(Core& core, std::uint32_t to, Address mailbox, Grant grant) {
  Core::submit(&core, core.host().core(to), core.make(granted_handler, {}, Granted{mailbox, grant}));
}

/// Another core, whose senders are parked.
class WaitingCore final : public Claimant {
 public:
  explicit WaitingCore(std::uint32_t index) noexcept : index_(index) {}
  void grant(Core& core, Cell& cell, std::uint32_t n) override {
    send_grant(core, index_, cell.address(), {.credits = n, .block_for = cell.more().block_for});
  }
  void refuse(Core& core, Cell& cell, Sent why) override {
    send_grant(core, index_, cell.address(), {.over = true, .dead = why == Sent::dead});
  }
  void release(Core& core, Cell& cell) override { send_grant(core, index_, cell.address(), {.over = true}); }

 private:
  std::uint32_t index_;
};

struct Want {
  static constexpr std::string_view name = "a core wants credits";
  Address mailbox;
  std::uint32_t core_index;
  std::uint32_t amount;

  void apply(Core& core, Cell& cell) {
    if (cell.state == CellState::stopping) return on_dead(core);
    if (cell.address() != mailbox) return send_grant(core, core_index, mailbox, {.over = true});  // it has moved
    send_grant(core, core_index, mailbox, {.block_for = cell.more().block_for});
    mailbox::wait_for_credits(core, cell, std::make_unique<WaitingCore>(core_index), amount, Instant::never());
  }
  void on_dead(Core& core) { send_grant(core, core_index, mailbox, {.over = true, .dead = true}); }
};

struct Return {
  static constexpr std::string_view name = "credits come back";
  Address mailbox;
  std::uint32_t amount;
  void apply(Core& core, Cell& cell) {
    // Where it has followed an actor that moved, they are void: the place was another mailbox's.
    if (cell.address() == mailbox) return_to(core, cell, amount);
  }
};

/// What a foreign thread waits for, shared with the mailbox that it waits at.
class Outside {
 public:
  void tell(Sent result) {
    {
      const std::lock_guard lock{mutex_};
      if (!result_) result_ = result;
    }
    told_.notify_one();
  }
  Sent wait() {
    std::unique_lock lock{mutex_};
    told_.wait(lock, [this] { return result_.has_value(); });
    return *result_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable told_;
  std::optional<Sent> result_;
};

/// Tells the thread whatever becomes of its request, also that it is thrown away. A message that weighs much may get
/// its credits in parts; it goes when it has them all.
class WaitingThread final : public Claimant {
 public:
  WaitingThread(std::shared_ptr<Outside> outside, std::uint32_t cost) noexcept
      : outside_(std::move(outside)), cost_(cost) {}
  WaitingThread(const WaitingThread&) = delete;
  ~WaitingThread() override { outside_->tell(Sent::dead); }
  void grant(Core&, Cell&, std::uint32_t n) override {
    granted_ += n;
    if (granted_ >= cost_) outside_->tell(Sent::sent);
  }
  void refuse(Core& core, Cell& cell, Sent why) override {
    if (granted_ > 0) give_back(&core, cell.address(), granted_);
    outside_->tell(why);
  }
  void release(Core&, Cell&) override { outside_->tell(Sent::sent); }

 private:
  std::shared_ptr<Outside> outside_;
  std::uint32_t cost_;
  std::uint32_t granted_ = 0;
};

struct WantFromOutside {
  static constexpr std::string_view name = "a thread wants a place";
  Address mailbox;
  std::unique_ptr<Claimant> thread;
  std::uint32_t amount;

  void apply(Core& core, Cell& cell) {
    if (cell.state == CellState::stopping) return;
    if (cell.address() != mailbox) return thread->release(core, cell);  // it has moved
    const Instant until = core.now() + cell.more().block_for;
    mailbox::wait_for_credits(core, cell, std::move(thread), amount, until);
  }
};

}  // namespace

void open(Cell& cell, std::uint32_t messages, std::size_t bytes) noexcept {
  if (cell.capacity == 0) return;  // it passes everything on
  // Where the oldest goes for the newest none is refused a place before those that are older have come.
  if (messages > 0 && cell.overflow != Overflow::drop_oldest) lend_more(cell, messages);
  const bool on_credit = cell.overflow == Overflow::block || cell.overflow == Overflow::backpressure;
  // On a single core the only ones from outside are threads, and they wait where a mailbox blocks.
  if (!on_credit || (cell.owner->host().core_count() < 2 && cell.overflow != Overflow::block)) return;
  Passage passage{.on_credit = true, .blocks = cell.overflow == Overflow::block};
  if (auto* ledger = mailbox::ledger_of(cell); ledger != nullptr && ledger->bytes_max > 0) {
    ledger->credit_unit = 1;
    // As many bytes as there are for each place, or a little more: then neither bound keeps the other from being used.
    const std::size_t each = ledger->bytes_max / std::max(1u, cell.capacity);
    while (ledger->credit_unit < 8 && unit_bytes(ledger->credit_unit) < each) ++ledger->credit_unit;
    passage.unit = ledger->credit_unit;
    lend_more(cell, static_cast<std::uint32_t>(std::min<std::size_t>(bytes / unit_bytes(passage.unit), lent_max)));
  }
  passage.offered = share_of(room_in(cell));
  cell.generation.open(passage);
  lend_more(cell, passage.offered);
}

void close(Cell& cell) noexcept { cell.generation.open({}); }

void redeem(Cell& cell, const Envelope& envelope) noexcept {
  const auto* ledger = mailbox::ledger_of(cell);
  come_back(cell, price({.unit = ledger != nullptr ? ledger->credit_unit : std::uint8_t{0}}, envelope));
}

void replenish(Cell& cell) noexcept {
  // One message may cost all that there is, so where bytes are bounded as much is offered as can be.
  const auto* ledger = mailbox::ledger_of(cell);
  const bool weighed = ledger != nullptr && ledger->credit_unit > 0;
  const std::uint32_t little = weighed ? UINT32_MAX : std::min(cell.capacity, lent_max) / 4;
  if (cell.generation.offered() > little) {
    cell.held &= static_cast<std::uint8_t>(~hold_offer);
    return;
  }
  if (!is_open(cell)) return;
  const std::uint32_t more = (cell.held & hold_waiters) == 0 ? share_of(room_in(cell)) : 0;
  if (more > 0) {
    cell.generation.offer(more);
    lend_more(cell, more);
  }
  // Asked again with each message that is taken, until enough is offered.
  if (cell.generation.offered() > little) {
    cell.held &= static_cast<std::uint8_t>(~hold_offer);
  } else {
    cell.held |= hold_offer;
  }
}

bool make_room(Cell& cell, const Envelope& envelope) noexcept {
  const std::uint32_t generation = cell.generation.load(std::memory_order_relaxed);
  while (cell.lent > 0) {
    const std::uint32_t n = cell.generation.take(generation, 1, UINT32_MAX, 2);
    if (n == 0) return false;
    come_back(cell, n);
    cell.held |= hold_offer;
    if (mailbox::fits(cell, envelope)) return true;
  }
  return false;
}

void take_back_all(Cell& cell) noexcept {
  if (cell.lent == 0) return;
  come_back(cell, cell.generation.take(cell.generation.load(std::memory_order_relaxed), 1, UINT32_MAX, 1));
  cell.held |= hold_offer;
}

void return_to(Core& core, Cell& cell, std::uint32_t n) {
  come_back(cell, n);
  mailbox::admit_waiting(core, cell);
  replenish(cell);
}

std::uint32_t lend(Cell& cell, std::uint32_t wanted) noexcept {
  take_back_all(cell);
  const std::uint32_t n = std::min(wanted, room_in(cell));
  if (n == 0 || n < std::min(wanted, std::max(1u, cell.capacity / 16))) return 0;
  lend_more(cell, n);
  return n;
}

void ask(Core& here, Address mailbox, std::uint32_t amount) {
  control::send(&here, mailbox, Want{mailbox, static_cast<std::uint32_t>(here.index()), amount});
}

void give_back(Core* here, Address mailbox, std::uint32_t n) { control::send(here, mailbox, Return{mailbox, n}); }

Sent submit_from_outside(Core& to, Envelope* envelope) {
  const Address mailbox{envelope->target, envelope->generation};
  const std::uint32_t cost = price(mailbox.cell->generation.passage(mailbox.generation), *envelope);
  Sent got = mailbox.cell->generation.take(mailbox.generation, cost, cost, UINT32_MAX) > 0 ? Sent::sent : Sent::full;
  if (got != Sent::sent) {
    auto outside = std::make_shared<Outside>();
    control::send(nullptr, mailbox, WantFromOutside{mailbox, std::make_unique<WaitingThread>(outside, cost), cost});
    got = outside->wait();
  }
  if (got != Sent::sent) {
    to.refuse_from_outside(envelope, got == Sent::dead ? Drop::dead : Drop::park_expired);
    return got;
  }
  envelope->on_credit = 1;
  const Sent taken = to.to_inbox(envelope);
  if (taken == Sent::full) give_back(nullptr, mailbox, cost);
  return taken;
}

}  // namespace troupe::actor::credits
