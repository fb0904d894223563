// The bodies of Core's templates and of what each ask runs: how a message gets its envelope, how an ask is opened and
// ended, and how a callback runs as a part of an actor.
//
// A part of core.h, which includes it at its end; nobody else does.
#pragma once

#include "troupe/actor/runtime/core.h"
#include "troupe/actor/runtime/lifecycle.h"

namespace troupe::actor {

inline Core* Host::here() const noexcept {
  Core* here = Core::current();
  return here != nullptr && &here->host() == this ? here : nullptr;
}

template <class M>
Envelope* Core::make(const Handler& handler, Address target, M&& message) {
  using Message = std::remove_cvref_t<M>;
  constexpr std::size_t bytes = Envelope::bytes_for<Message>();
  constexpr auto size_class = static_cast<std::uint8_t>(BlockPool::class_of(bytes));
  auto* envelope =
      new (pool_.allocate(bytes)) Envelope{target, handler, running_id_, static_cast<std::uint8_t>(index_), size_class};
  new (reinterpret_cast<std::byte*>(envelope) + Envelope::payload_offset<Message>()) Message(std::forward<M>(message));
  return envelope;
}

template <class M>
Envelope* Core::make_within(const base::TraceContext* trace, const Handler& handler, Address target, M&& message) {
  if (trace == nullptr || handler.traced == nullptr) return make(handler, target, std::forward<M>(message));
  using Message = std::remove_cvref_t<M>;
  return make(*handler.traced, target, Traced<Message>{std::forward<M>(message), *trace});
}

/// A foreign thread has no pool: its envelopes come from the heap and go back there.
template <class M>
Envelope* make_from_heap(const Handler& handler, Address target, M&& message) {
  using Message = std::remove_cvref_t<M>;
  auto* envelope =
      new (::operator new(Envelope::bytes_for<Message>())) Envelope{target, handler, {}, 0, BlockPool::classes};
  new (reinterpret_cast<std::byte*>(envelope) + Envelope::payload_offset<Message>()) Message(std::forward<M>(message));
  return envelope;
}

template <class M>
Envelope* Core::make_on(Core* here, const Handler& handler, Address target, M&& message) {
  return here != nullptr ? here->make(handler, target, std::forward<M>(message))
                         : make_from_heap(handler, target, std::forward<M>(message));
}

// ---- asks ----

inline Core::ReplySlot& Core::take_slot(AskState& ask) noexcept {
  ReplySlot& entry = reply_slots_[free_reply_slot_];
  free_reply_slot_ = entry.next_free;
  entry.ask = &ask;
  ask.core = this;
  ask.activation = running_;
  ask.id = entry.id;
  return entry;
}

inline void Core::open_ask(AskState& ask, Address target, Instant deadline) {
  ReplySlot& entry = take_slot(ask);
  ask.target = target;
  ask.deadline = deadline;
  ask.remote = target.cell->owner != this;
  ask.timeless = true;
  ask.activation->ask_slot = ask.id.slot();
  // Nearly every answer comes before a timer would be placed, and then none ever is (place_asks).
  if (deadline < placing_ || !entry.listed || free_reply_slot_ == no_slot) [[unlikely]]
    prepare_ask(ask);
}

inline void Core::close_ask(AskState& ask) noexcept {
  const std::uint32_t slot = ask.id.slot();
  ReplySlot& entry = reply_slots_[slot];
  entry.ask = nullptr;
  entry.id = ask.id.next();
  // A slot whose generations are used up retires: a late reply must never reach another's ask.
  if (entry.id) [[likely]] {
    entry.next_free = free_reply_slot_;
    free_reply_slot_ = slot;
  }
  ask.id = {};
  timers_.disarm(ask);
}

inline AskState* Core::find_ask(ReplyTo reply) noexcept {
  const ReplySlot& entry = reply_slots_[reply.slot()];
  if (entry.id != reply) return nullptr;
  [[assume(entry.ask != nullptr)]];  // or the slot would wait for its next tenant
  return entry.ask;
}

[[gnu::always_inline]] inline void Core::finish_ask(AskState& ask) noexcept {
  close_ask(ask);
  make_ready_first(*ask.activation);
}

// ---- callbacks ----

template <class F>
void Core::within(Cell& cell, const char* what, F&& f) {
  Cell* cell_before = running_cell();
  const Handler* handling_before = handling_.load(std::memory_order_relaxed);
  const char* callback_before = callback_.load(std::memory_order_relaxed);
  const ActorType* callback_of_before = callback_of_.load(std::memory_order_relaxed);
  handling_.store(nullptr, std::memory_order_relaxed);
  callback_.store(what, std::memory_order_relaxed);
  callback_of_.store(cell.type, std::memory_order_relaxed);
  enter(&cell);
  Activation* activation_before = std::exchange(running_, nullptr);
  const Instant deadline_before = std::exchange(deadline_, Instant::never());
  Span* span_before = std::exchange(span_, nullptr);
  if (observer_ != nullptr) observer_->step_begins(*this, cell, StepKind::callback, what, {});
  try {
    f();
  } catch (...) {
    lifecycle::fault(cell, std::current_exception(), what);
  }
  if (observer_ != nullptr) observer_->step_ends(*this, cell);
  enter(cell_before);
  handling_.store(handling_before, std::memory_order_relaxed);
  callback_.store(callback_before, std::memory_order_relaxed);
  callback_of_.store(callback_of_before, std::memory_order_relaxed);
  running_ = activation_before;
  deadline_ = deadline_before;
  span_ = span_before;
}

}  // namespace troupe::actor
