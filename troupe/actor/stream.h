// Stream: the answer that comes in pieces, as the handler that gives it sees it.
//
//   Stream<std::int64_t> handle(Tail m) {
//     for (auto n = m.from; n < end_; ++n) co_yield n;
//   }
//
// The reader (stream_reader.h) grants credit; `co_yield` without any waits, and it is there that the actor handles
// other messages, so what the handler knows of the actor's state it must look at anew after each yield. Every other
// await suspends the actor as in any handler, unless the message or the actor interleaves. A reader that goes away
// destroys the frame at its await. `co_yield std::unexpected(error)` is the last word of a stream that declares a
// domain error. An actor has at most `in_flight_max` streams at once; more are refused.
//
// Both ends stay where they are while the stream lasts: neither its source
// nor its reader is put away as idle or moves to another core. A move of a
// shard waits for them, and gives up as `is_busy` (group/shards.h).
#pragma once

#include "troupe/actor/stream_sink.h"
#include "troupe/actor/task.h"

namespace troupe::actor {

namespace detail {

template <class T, class E>
struct StreamPromise final : PromiseBase, StreamSource {
  Stream<T, E> get_return_object() noexcept;
  void return_void() const noexcept {}

  struct Yielded {
    StreamSource& source;
    bool await_ready() const noexcept { return source.has_credit(); }
    void await_suspend(std::coroutine_handle<> frame) const noexcept { source.wait_for_credit(frame); }
    void await_resume() const noexcept {}
  };

  template <class U>
    requires std::is_constructible_v<T, U>
  Yielded yield_value(U&& item) {
    put(T(std::forward<U>(item)));
    return {*this};
  }
  template <class U>
    requires std::is_constructible_v<E, U>
  Yielded yield_value(std::unexpected<U> error) {
    flush();
    const ReplyTo its_reader = reader();
    abandon();
    answer<void, E>(*core, its_reader, std::unexpected(E(std::move(error).error())));
    return {*this};
  }

  /// Lets the reader know its source, also where nothing is yielded for long.
  void announce() {
    if (!reader_is_here()) {
      collect();
    } else if (auto* sink = static_cast<StreamSink<T, E>*>(core->find_ask(reader()))) {
      sink->source = id;
    }
  }

 private:
  void put(T item) {
    spend();
    if (!reader_is_here()) {
      StreamItems<T>& items = collect();
      items.push(std::move(item));
      if (items.full()) flush();
    } else if (auto* sink = static_cast<StreamSink<T, E>*>(core->find_ask(reader()))) {
      sink->push(std::move(item));
      sink->wake();
    } else {
      abandon();
    }
  }
  StreamItems<T>& collect() {
    if (collected_ == nullptr) {
      collected_ = core->make(items_handler<T, E>, {}, StreamItems<T>{reader(), id});
      core->at_turn_end(*this);
    }
    return collected_->template message<StreamItems<T>>();
  }
};

}  // namespace detail

template <class T, class E>
class [[nodiscard]] Stream {
 public:
  static_assert(std::is_nothrow_move_constructible_v<T>, "what is streamed moves without throwing");
  using promise_type = detail::StreamPromise<T, E>;
  using Frame = std::coroutine_handle<promise_type>;

  explicit Stream(Frame frame) noexcept : frame_(frame) {}
  Stream(Stream&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  Stream& operator=(Stream&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Stream() {
    if (frame_) frame_.destroy();
  }

  /// Hands the frame to the runtime, which runs it as a handler.
  Frame release() noexcept { return std::exchange(frame_, {}); }

 private:
  Frame frame_;
};

namespace detail {

template <class T, class E>
Stream<T, E> StreamPromise<T, E>::get_return_object() noexcept {
  return Stream<T, E>{std::coroutine_handle<StreamPromise>::from_promise(*this)};
}

/// Runs a stream's frame up to its first await; ends it at once if it never
/// waits.
template <class T, class E>
void run_stream(Core& core, Activation& activation, Stream<T, E> stream, std::uint32_t credit) {
  auto frame = stream.release();
  activation.root = frame;
  activation.point = frame;
  activation.finish = [](Core& here, Activation& done) {
    auto& promise = std::coroutine_handle<StreamPromise<T, E>>::from_address(done.root.address()).promise();
    Cell& cell = *done.cell;
    promise.flush();
    const ReplyTo reader = std::exchange(done.reply, {});
    const std::string_view message = done.handler->message;
    const std::exception_ptr error = promise.error;
    here.end(done);
    if (error == nullptr) {
      if (reader) answer<void, E>(here, reader, {});
      return;
    }
    if (reader) here.fail_ask(reader, Outcome::executed_failed, lifecycle::describe(error));
    lifecycle::fault(cell, error, message);
  };
  frame.promise().open(activation, credit);
  frame.promise().announce();
  core.resume(activation);
}

}  // namespace detail
}  // namespace troupe::actor
