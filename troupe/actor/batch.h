// Batch: several messages of one type, handled at once by an actor that has `handle(Batch<M>)`.
//
// The actor gets what came within BatchOptions::within (10 ms) of the first, or as soon as
// `messages` (100) are there. A message of any other kind closes the batch, and it is handled at
// once: so order is that of one queue, among the messages of the batch and with all others (of one
// priority, where the mailbox has them). Options: `static constexpr BatchOptions batch{...}` on the actor.
//
// Until it is handed over, a batch is part of the mailbox: it counts against the bounds, may be
// evicted, outlives a restart, and is dropped with the rest when the actor stops. A batch whose
// handler throws is not handled again. It counts for its messages in a turn's budget. Its handler
// goes on with the trace of the first of its messages that belongs to one.
#pragma once

#include <iterator>

#include "troupe/actor/message.h"

namespace troupe::actor {

/// A range over messages that stand where they stood in the mailbox; moving it copies none. It must be moved and
/// destroyed on the core of its actor.
template <class M>
class [[nodiscard]] Batch {
 public:
  class Iterator {
   public:
    using value_type = M;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(Envelope* at) noexcept : at_(at) {}
    M& operator*() const noexcept { return at_->message<M>(); }
    M* operator->() const noexcept { return &at_->message<M>(); }
    Iterator& operator++() noexcept {
      at_ = at_->next;
      return *this;
    }
    Iterator operator++(int) noexcept { return Iterator{std::exchange(at_, at_->next)}; }
    friend bool operator==(Iterator, Iterator) = default;

   private:
    Envelope* at_ = nullptr;
  };

  /// The runtime makes it, of messages that it takes out of the mailbox.
  Batch(Core& core, EnvelopeList messages) noexcept : core_(&core), messages_(messages) {
    for (const Envelope* at = messages_.head; at != nullptr; at = at->next) ++size_;
  }
  Batch(Batch&& other) noexcept
      : core_(other.core_), messages_(other.messages_.take()), size_(std::exchange(other.size_, 0)) {}
  Batch& operator=(Batch&& other) noexcept {
    std::swap(core_, other.core_);
    std::swap(messages_, other.messages_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Batch() {
    while (Envelope* envelope = messages_.pop()) core_->destroy(envelope);
  }

  Iterator begin() const noexcept { return Iterator{messages_.head}; }
  Iterator end() const noexcept { return Iterator{}; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

 private:
  Core* core_;
  EnvelopeList messages_;
  std::size_t size_ = 0;
};

namespace detail {

/// Whether A takes its M in batches.
template <class A, class M>
concept Batched = Plain<A, Batch<M>> || WithContext<A, Batch<M>>;

/// One for each pair, so that its address tells the batches of one actor apart.
template <class A, class M>
inline constexpr BatchOptions batch_options_of = [] {
  if constexpr (requires { std::bool_constant<(A::batch.messages > 0)>{}; }) {
    return A::batch;
  } else {
    return BatchOptions{};
  }
}();

}  // namespace detail
}  // namespace troupe::actor
