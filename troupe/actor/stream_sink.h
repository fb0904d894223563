// StreamSink: the receiving end of a stream on its reader's core, and how items
// get there.
//
// A stream is an ask for its end, with items before it: the end, a domain error
// or a failure comes as the ask's one outcome, on the same way as the items and
// so behind them. The queue holds as many items as credit was granted, never
// more.
#pragma once

#include <memory>

#include "troupe/actor/answer.h"
#include "troupe/actor/runtime/stream_source.h"
#include "troupe/base/check.h"

namespace troupe::actor::detail {

/// What asks for a stream: the message, and how many items may come before more
/// are granted.
template <class M>
struct Opening {
  M message;
  std::uint32_t credit;
};

/// The items of one turn, on their way to another core.
template <class T>
class StreamItems {
 public:
  static_assert(alignof(T) <= 16, "an item may be aligned to 16 bytes at most");
  static constexpr std::size_t capacity = std::clamp<std::size_t>(896 / sizeof(T), 1, 64);

  StreamItems(ReplyTo to, ReplyTo from) noexcept : reader(to), source(from) {}
  StreamItems(StreamItems&& other) noexcept : reader(other.reader), source(other.source) {
    for (T& item : other) push(std::move(item));
  }
  StreamItems& operator=(StreamItems&&) = delete;
  ~StreamItems() { std::destroy(begin(), end()); }

  void push(T&& item) noexcept { new (memory_ + sizeof(T) * size_++) T(std::move(item)); }
  bool full() const noexcept { return size_ == capacity; }
  bool empty() const noexcept { return size_ == 0; }
  T* begin() noexcept { return std::launder(reinterpret_cast<T*>(memory_)); }
  T* end() noexcept { return begin() + size_; }

  const ReplyTo reader;
  const ReplyTo source;

 private:
  std::size_t size_ = 0;
  alignas(T) std::byte memory_[sizeof(T) * capacity];
};

/// An activation that nobody can wake.
inline Activation& nobody() noexcept {
  static constinit Activation always_ready{.ready = true};
  return always_ready;
}

template <class T, class E>
class NextAwaiter;

template <class T, class E>
struct StreamSink final : TypedAsk<void, E> {
  explicit StreamSink(std::uint32_t credit)
      : capacity(credit), memory(std::make_unique_for_overwrite<std::byte[]>(sizeof(T) * credit)) {}
  ~StreamSink() {
    while (size > 0) take();
  }

  void push(T&& item) noexcept {
    INVARIANT(size < capacity, "a stream sends no more than it has credit for");
    new (place(first + size++)) T(std::move(item));
  }
  /// The oldest item; the room that it leaves goes back to the source, half of
  /// all at a time.
  T take() noexcept {
    T* item = std::launder(reinterpret_cast<T*>(place(first)));
    T out = std::move(*item);
    std::destroy_at(item);
    first = (first + 1) % capacity;
    --size;
    return out;
  }
  void give_back() {
    if (++taken < (capacity + 1) / 2 || this->answer || this->failure) return;
    given_back += taken;
    streams::grant(*this->core, source, std::exchange(taken, 0));
  }
  bool has_news() const noexcept { return size > 0 || this->answer || this->failure; }

  /// Resumes the reader, if it waits.
  void wake() noexcept {
    stop_timer();
    this->core->make_ready(*this->activation);
  }
  void forget_reader() noexcept {
    waiting = nullptr;
    this->activation = &nobody();
    stop_timer();
  }
  /// The handler waits for the next item, or for the end; nothing of either is here.
  void wait(NextAwaiter<T, E>& reader, Activation& its_activation, Instant until) {
    waiting = &reader;
    this->activation = &its_activation;
    its_activation.ask_slot = this->id.slot();
    this->items = static_cast<std::uint16_t>(given_back + taken);
    this->probes = 0;
    this->deadline = until;
    this->core->time_ask(*this);
  }

  ReplyTo source;  // once it has announced itself
  Address owner;   // the actor that reads
  NextAwaiter<T, E>* waiting = nullptr;
  Duration idle_max{};
  const std::size_t capacity;
  std::size_t first = 0;
  std::size_t size = 0;
  std::uint32_t taken = 0;       // and not given back yet
  std::uint32_t given_back = 0;  // in all
  std::unique_ptr<std::byte[]> memory;

 private:
  void stop_timer() noexcept {
    this->timeless = false;
    this->core->timers().disarm(*this);
  }
  std::byte* place(std::size_t at) const noexcept { return memory.get() + sizeof(T) * (at % capacity); }
};

template <class T, class E>
inline constexpr Handler items_handler{
    .invoke =
        [](Core& core, Cell*, Envelope& envelope) {
          auto& items = envelope.message<StreamItems<T>>();
          auto* sink = static_cast<StreamSink<T, E>*>(core.find_ask(items.reader));
          if (sink == nullptr) {
            streams::cancel(core, items.source);
            return;
          }
          sink->source = items.source;
          if (items.empty()) return;
          for (T& item : items) sink->push(std::move(item));
          sink->wake();
        },
    .destroy = destroy_message<StreamItems<T>>,
    .message = "items of a stream",
    .message_class = MessageClass::control,
    .runtime = true,
};

}  // namespace troupe::actor::detail
