// StreamReader: a stream as who reads it sees it. Made by `ref.stream(message,
// options)`.
//
//   auto numbers = counter.stream(Tail{.from = 0}, {.credit = 128});
//   for (;;) {
//     auto n = co_await numbers.next();
//     if (!n) break;
//     sum += *n;
//   }
//
// It begins at once. Items come in the order in which they were yielded, each
// once; then exactly one end: regular, a domain error, or a failure that says
// what happened (its source threw, stopped or was restarted, nothing came in
// time, or it waits for its reader in turn: a deadlock, with its path). A failure cannot be taken for the end: `if
// (!n)` throws StreamBroken, so that supervision decides, unless n.failure() was asked first. Destroying the reader,
// with its actor or alone, ends the source's frame. Owned by one actor, used on its core by one handler at a time.
#pragma once

#include <stdexcept>
#include <variant>

#include "troupe/actor/stream.h"

namespace troupe::actor {

/// For a stream that is silent for hours with good reason, such as a subscription.
inline constexpr Duration as_long_as_it_takes = Duration::max();

struct StreamOptions {
  std::uint32_t credit =
      64;  // items that may come before the reader has taken some: the most it has to hold; at most 65535
  Duration idle_max = 1min;  // longest wait for one item: nobody should wait for ever by accident; shortened by the
                             // deadline of the ask being handled
};

/// Thrown where a failed stream was taken for one that has an end.
class StreamBroken : public std::runtime_error {
 public:
  StreamBroken(Outcome its_outcome, const std::string& what)
      : std::runtime_error("a stream broke: " + what), outcome(its_outcome) {}
  Outcome outcome;
};

/// What `co_await reader.next()` gives: an item, the end, or a failure.
template <class T, class E = NoError>
class [[nodiscard]] Next {
 public:
  Next() = default;
  explicit Next(T item) : what_(std::move(item)) {}
  explicit Next(Failure<E> failure) : what_(std::move(failure)) {}

  /// True: an item. False: the end. Throws StreamBroken where it is neither.
  explicit operator bool() const {
    if (const auto* broken = failure()) throw StreamBroken{broken->outcome, broken->what};
    return std::holds_alternative<T>(what_);
  }
  /// Null unless the stream has failed; the domain error is in it.
  const Failure<E>* failure() const noexcept { return std::get_if<Failure<E>>(&what_); }

  /// The item. Throws StreamBroken where the stream has failed.
  T& operator*() { return const_cast<T&>(*std::as_const(*this)); }
  const T& operator*() const {
    INVARIANT(static_cast<bool>(*this), "a stream that has ended has no next item: `if (!next) break;` comes first");
    return std::get<T>(what_);
  }
  T* operator->() { return &**this; }

 private:
  std::variant<std::monostate, T, Failure<E>> what_;
};

template <class T, class E = NoError>
class [[nodiscard]] StreamReader {
 public:
  using Sink = detail::StreamSink<T, E>;

  /// A stream of nobody: it fails at once.
  StreamReader() = default;
  explicit StreamReader(Sink* sink) noexcept : sink_(sink) {}
  StreamReader(StreamReader&& other) noexcept : sink_(std::exchange(other.sink_, nullptr)) {}
  StreamReader& operator=(StreamReader&& other) noexcept {
    std::swap(sink_, other.sink_);
    return *this;
  }
  ~StreamReader() { close(); }

  /// `co_await`: the next item, or the end, which stays the end.
  detail::NextAwaiter<T, E> next() noexcept { return detail::NextAwaiter<T, E>{sink_}; }

  /// Ends the stream now; a handler that waits for its next item is told that
  /// it failed.
  void close() noexcept {
    Sink* sink = std::exchange(sink_, nullptr);
    if (sink == nullptr) return;
    Core& core = *sink->core;
    INVARIANT(Core::current() == &core, "a stream is read and ended on one core");
    if (sink->waiting != nullptr) {
      sink->waiting->let_go();
      sink->wake();
    }
    if (sink->source && !sink->answer) streams::cancel(core, sink->source);
    if (sink->id && sink->source) core.close_ask(*sink);
    if (sink->id) core.abandon_ask(*sink);  // it is a request still, or has begun this moment
    if (Cell* owner = sink->owner.cell; owner != nullptr && owner->is(sink->owner.generation)) --owner->extras->readers;
    core.dispose(sink);
  }

 private:
  Sink* sink_ = nullptr;
};

namespace detail {

template <class T, class E>
class [[nodiscard]] NextAwaiter {
 public:
  explicit NextAwaiter(StreamSink<T, E>* sink) noexcept : sink_(sink) {}
  NextAwaiter(const NextAwaiter&) = delete;
  NextAwaiter& operator=(const NextAwaiter&) = delete;
  ~NextAwaiter() {
    if (sink_ != nullptr && sink_->waiting == this) sink_->forget_reader();
  }

  bool await_ready() const noexcept { return sink_ == nullptr || sink_->has_news(); }

  void await_suspend(std::coroutine_handle<> frame) {
    INVARIANT(sink_->waiting == nullptr, "one handler at a time waits for a stream's next item");
    Activation& activation = awaiting();
    Core& core = *activation.cell->owner;
    activation.point = frame;
    Instant until = core.deadline();
    if (sink_->idle_max != as_long_as_it_takes) until = std::min(until, core.now() + sink_->idle_max);
    sink_->wait(*this, activation, until);
  }

  Next<T, E> await_resume() {
    if (sink_ == nullptr)
      return failed(Outcome::not_executed, "there is nobody to read from, or the stream was closed");
    sink_->forget_reader();
    if (sink_->size > 0) {
      Next<T, E> next{sink_->take()};
      sink_->give_back();
      return next;
    }
    if (sink_->failure) {
      // Where it was the time that ended it, the source does not know yet.
      const ReplyTo source = std::exchange(sink_->source, {});
      if (source) streams::cancel(*sink_->core, source);
      return failed(sink_->failure->outcome, sink_->failure->what);
    }
    INVARIANT(sink_->answer, "who reads is resumed with news");
    if (*sink_->answer) return {};
    return Next<T, E>{Failure<E>{Outcome::answered, sink_->answer->error(), "refused"}};
  }

  /// The reader is closed while this waits.
  void let_go() noexcept { sink_ = nullptr; }

 private:
  static Next<T, E> failed(Outcome outcome, std::string what) {
    return Next<T, E>{Failure<E>{outcome, {}, std::move(what)}};
  }
  StreamSink<T, E>* sink_;
};

/// Asks `target` for a stream by what travels for an M. On the reader's core, in a handler.
template <class M, class Whole>
StreamReader<item_of<M>, error_of<M>> open_stream(Address target, const Handler* handler, Whole whole,
                                                  StreamOptions options) {
  using Sink = StreamSink<item_of<M>, error_of<M>>;
  INVARIANT(options.credit > 0, "a stream without credit would never begin");
  INVARIANT(options.credit <= UINT16_MAX, "a stream's credit is 65535 items at most");
  if (!target) return {};
  Core* core = Core::current();
  INVARIANT(core != nullptr, "a stream is opened in a handler");
  auto* sink = core->create<Sink>(options.credit);
  core->open_slot(*sink);
  sink->activation = &nobody();
  sink->target = target;
  if (Cell* owner = core->running_cell(); owner != nullptr) {
    sink->owner = owner->address();
    ++owner->more().readers;
  }
  sink->remote = target.cell->owner != core;
  sink->streams = true;
  sink->idle_max = options.idle_max;
  Envelope* envelope = core->make_message(*handler, target, std::move(whole));
  envelope->reply = sink->id;
  envelope->deadline = core->deadline();
  Core::submit(core, *target.cell->owner, envelope);
  return StreamReader<item_of<M>, error_of<M>>{sink};
}

}  // namespace detail
}  // namespace troupe::actor
