// Envelope: one message on its way, and what the runtime must know about it.
//
// The header is 56 bytes, so that a message of up to 8 bytes travels in one cache line; the
// message stands right behind it. An envelope has one owner at a time: its sender until it is
// handed over, then a lane, then a mailbox, then the dispatch that destroys the message and
// sends the block home. The type of the message is known by its `Handler` alone.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "troupe/base/clock.h"
#include "troupe/base/trace_context.h"

namespace troupe::actor {

class Cell;
class Core;
struct Envelope;

using base::Duration;
using base::Instant;

/// Who an actor is: its cell, and which of the cell's successive tenants. Trivially copyable; owns nothing.
struct Address {
  Cell* cell = nullptr;
  std::uint32_t generation = 0;

  explicit operator bool() const noexcept { return cell != nullptr; }
  friend bool operator==(Address, Address) = default;
  friend auto operator<=>(Address, Address) = default;
};

/// The same as a plain number, stable and ordered, for logs and inspection: core 8 bits, cell 24, generation 32.
struct ActorId {
  std::uint64_t value = 0;
  friend auto operator<=>(ActorId, ActorId) = default;
};

/// Where an answer goes: a slot in the asking core's table, and which of its successive tenants. Empty: nobody asked.
/// One word, since it is written, copied and read again within a few instructions.
class ReplyTo {
 public:
  ReplyTo() = default;
  /// Of the slot's first tenant.
  constexpr ReplyTo(std::uint32_t slot, int core) noexcept
      : value_(slot | one_generation | static_cast<std::uint64_t>(core) << 56) {}
  /// Of the slot's next tenant; empty when its generations are used up.
  constexpr ReplyTo next() const noexcept {
    ReplyTo successor;
    if ((value_ & generations) != generations) [[likely]]
      successor.value_ = value_ + one_generation;
    return successor;
  }

  constexpr std::uint32_t slot() const noexcept { return static_cast<std::uint32_t>(value_); }
  constexpr int core() const noexcept { return static_cast<int>(value_ >> 56); }
  /// Which of the slot's tenants, counted from 1; 0 where this is empty.
  constexpr std::uint32_t generation() const noexcept { return static_cast<std::uint32_t>(value_ >> 32) & 0xffffff; }
  constexpr explicit operator bool() const noexcept { return value_ != 0; }
  friend constexpr bool operator==(ReplyTo, ReplyTo) = default;

 private:
  static constexpr std::uint64_t one_generation = std::uint64_t{1} << 32;
  static constexpr std::uint64_t generations = std::uint64_t{0xffffff} << 32;
  std::uint64_t value_ = 0;
};

/// Control is never refused nor evicted; sheddable goes first when a full mailbox must drop. A class says what may be
/// lost, not what is handled first: each message keeps its place, unless its mailbox has priorities.
enum class MessageClass : std::uint8_t { control, normal, sheddable };

/// Which of its messages an actor handles first, where its mailbox has priorities; within one, first in, first out.
enum class Priority : std::uint8_t { low, normal, high };
inline constexpr std::size_t priority_levels = 3;

/// What is known of a message at compile time, for one receiver type. Static, one for each pair.
struct Handler {
  /// Runs the message. `cell` is null for a message to the core itself.
  void (*invoke)(Core& core, Cell* cell, Envelope& envelope);
  /// Ends the life of the message that stands in the envelope.
  void (*destroy)(Envelope& envelope) noexcept;
  /// Told in place of `invoke` when the receiver is gone; null: the asker, if any, is answered.
  void (*undeliverable)(Core& core, Envelope& envelope) = nullptr;
  std::string_view message;
  /// The class of the receiver; null for the runtime's own.
  const struct ActorType& (*actor)() noexcept = nullptr;
  /// Its receiver takes it in batches like this; null: one by one.
  const struct BatchOptions* batch = nullptr;
  /// What the message says of its size; null: nothing.
  std::size_t (*bytes)(const Envelope& envelope) noexcept = nullptr;
  /// What it says of its priority; null: always `priority`.
  Priority (*priority_of)(const Envelope& envelope) noexcept = nullptr;
  Priority priority = Priority::normal;
  MessageClass message_class = MessageClass::normal;
  /// The runtime's own: handled before user messages, also while the actor is suspended or failed.
  bool runtime = false;
  /// The message's life needs no end: `destroy` would do nothing.
  bool trivial = false;
  /// It has no dead letter: it is one.
  bool unmourned = false;
  /// Others are handled while this message's handler is suspended.
  bool interleaves = false;
  /// It may be handled while another message's handler is suspended.
  bool reads = false;
  /// For the same message within a trace (span.h); null for what is never traced.
  const Handler* traced = nullptr;
  /// The context beside the message, of such a one; null for all others.
  const base::TraceContext& (*trace_of)(const Envelope& envelope) noexcept = nullptr;
  /// The hash of the message's key and a copy for another receiver, for groups; null: it has no key, is not copyable.
  std::uint64_t (*key)(Envelope& envelope) = nullptr;
  Envelope* (*copy)(Core& core, Envelope& envelope, Address to) = nullptr;
};

struct Envelope {
  Envelope() = default;
  Envelope(Address to, const Handler& its_handler, ActorId from, std::uint8_t pool, std::uint8_t pool_class) noexcept
      : target(to.cell),
        generation(to.generation),
        home(pool),
        size_class(pool_class),
        handler(&its_handler),
        sender(from) {}

  Envelope* next = nullptr;
  Cell* target = nullptr;
  std::uint32_t generation = 0;
  std::uint8_t home = 0;                 // index of the core whose pool the block belongs to
  std::uint8_t size_class = 0;           // of that pool
  std::uint8_t awaits_room : 1 = 0;      // a `send` from another core: `reply` is answered on admission
  std::uint8_t on_credit : 1 = 0;        // from another core: its place in the mailbox is reserved
  Priority priority = Priority::normal;  // while it is queued, where the mailbox has priorities
  const Handler* handler = nullptr;
  ActorId sender;
  ReplyTo reply;
  Instant deadline = Instant::never();

  template <class M>
  static constexpr std::size_t payload_offset() noexcept {
    return alignof(M) <= 8 ? 56 : 64;
  }
  template <class M>
  static constexpr std::size_t bytes_for() noexcept {
    static_assert(alignof(M) <= 16, "a message may be aligned to 16 bytes at most");
    return payload_offset<M>() + sizeof(M);
  }
  template <class M>
  M& message() noexcept {
    return *std::launder(reinterpret_cast<M*>(reinterpret_cast<std::byte*>(this) + payload_offset<M>()));
  }
  template <class M>
  const M& message() const noexcept {
    return const_cast<Envelope*>(this)->message<M>();
  }
};
static_assert(sizeof(Envelope) == 56, "the header shares its cache line with a message of eight bytes");

template <class M>
void destroy_message(Envelope& envelope) noexcept {
  std::destroy_at(&envelope.message<M>());
}

/// A singly linked list of envelopes, first in, first out. Whoever has the list owns them.
struct EnvelopeList {
  Envelope* head = nullptr;
  Envelope* tail = nullptr;

  bool empty() const noexcept { return head == nullptr; }
  void push(Envelope* envelope) noexcept {
    envelope->next = nullptr;
    if (tail != nullptr) {
      tail->next = envelope;
    } else {
      head = envelope;
    }
    tail = envelope;
  }
  void push_front(Envelope* envelope) noexcept {
    envelope->next = head;
    head = envelope;
    if (tail == nullptr) tail = envelope;
  }
  Envelope* pop() noexcept {
    Envelope* first = head;
    if (first != nullptr) {
      head = first->next;
      if (head == nullptr) tail = nullptr;
    }
    return first;
  }
  EnvelopeList take() noexcept { return std::exchange(*this, {}); }
};

}  // namespace troupe::actor

template <>
struct std::hash<troupe::actor::Address> {
  std::size_t operator()(troupe::actor::Address address) const noexcept {
    // The generation turns the bits in which cells differ least.
    return std::hash<const void*>{}(address.cell) ^ std::size_t{address.generation} * 0x9e3779b97f4a7c15;
  }
};
