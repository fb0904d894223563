// Task: the type of every coroutine that an actor's handler is or calls.
//
// A task starts when it is awaited, or when the runtime runs it as a handler, and belongs to
// whoever holds it: destroying it destroys its frame and everything it waits for. Frames come
// from the pool of the core that runs them. An exception passes to the awaiter; out of a
// handler it is a fault for the supervisor.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "troupe/actor/runtime/asking.h"
#include "troupe/actor/runtime/core_memory.h"
#include "troupe/base/check.h"

namespace troupe::actor {

template <class T>
class Task;

namespace detail {

struct PromiseBase : CoreMemory {
  std::coroutine_handle<> continuation;
  std::exception_ptr error;

  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> done) const noexcept {
      auto& promise = done.promise();
      return promise.continuation ? promise.continuation : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  Final final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;

  Task<T> get_return_object() noexcept;
  template <class U = T>
    requires std::is_constructible_v<T, U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() {
    if (error) std::rethrow_exception(std::exchange(error, nullptr));
    INVARIANT(value.has_value(), "a task ended without a value");
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void take() {
    if (error) std::rethrow_exception(std::exchange(error, nullptr));
  }
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Frame = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Frame frame) noexcept : frame_(frame) {}
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (frame_) frame_.destroy();
      frame_ = std::exchange(other.frame_, {});
    }
    return *this;
  }
  ~Task() {
    if (frame_) frame_.destroy();
  }

  auto operator co_await() && noexcept {
    struct Awaiter {
      Frame frame;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const noexcept {
        frame.promise().continuation = awaiting;
        return frame;
      }
      T await_resume() const { return frame.promise().take(); }
    };
    INVARIANT(frame_ && !frame_.done(), "a task is awaited once, by who holds it");
    return Awaiter{frame_};
  }

  /// Hands the frame to the runtime, which runs it as a handler.
  Frame release() noexcept { return std::exchange(frame_, {}); }

 private:
  Frame frame_;
};

namespace detail {

template <class T>
Task<T> Promise<T>::get_return_object() noexcept {
  return Task<T>{std::coroutine_handle<Promise<T>>::from_promise(*this)};
}
inline Task<void> Promise<void>::get_return_object() noexcept {
  return Task<void>{std::coroutine_handle<Promise<void>>::from_promise(*this)};
}

/// The handler that awaits on this core now. Awaiting outside of one is our bug.
inline Activation& awaiting() {
  Core* core = Core::current();
  INVARIANT(core != nullptr && core->running() != nullptr,
            "co_await of the runtime's awaiters works inside handlers only");
  return *core->running();
}

}  // namespace detail

/// While one lives, the handler that made it is not ended, although nobody may wait for its answer any more: what it
/// has begun, it finishes. It ends at its next await after the last of them. Made inside the handler, or by an awaiter
/// while it suspends; an empty one does nothing.
class [[nodiscard]] Shield {
 public:
  Shield() = default;
  /// Null is allowed: a handler that is no coroutine is never ended.
  explicit Shield(Activation* handler) noexcept : handler_(handler) {
    if (handler_ != nullptr) ++handler_->shields;
  }
  Shield(Shield&& other) noexcept : handler_(std::exchange(other.handler_, nullptr)) {}
  Shield& operator=(Shield&& other) noexcept {
    std::swap(handler_, other.handler_);
    return *this;
  }
  ~Shield() {
    if (handler_ == nullptr || --handler_->shields > 0 || !handler_->unwanted) return;
    Cell& cell = *handler_->cell;
    asking::withdraw(*cell.owner, cell.address(), handler_->reply);
  }

 private:
  Activation* handler_ = nullptr;
};

/// `co_await sleep(10ms)`: suspends the handler; not shorter, at most one timer tick (1 ms) longer than asked.
class [[nodiscard]] SleepAwaiter : TimerNode {
 public:
  explicit SleepAwaiter(Duration duration) noexcept : TimerNode(wake_up), duration_(duration) {}
  bool await_ready() const noexcept { return duration_ <= Duration::zero(); }
  void await_suspend(std::coroutine_handle<> frame) {
    activation_ = &detail::awaiting();
    activation_->point = frame;
    Core& core = *activation_->cell->owner;
    core.timers().arm(*this, core.now() + duration_);
  }
  void await_resume() const noexcept {}

 private:
  static void wake_up(TimerNode& node) noexcept {
    auto& self = static_cast<SleepAwaiter&>(node);
    self.activation_->cell->owner->make_ready(*self.activation_);
  }
  Duration duration_;
  Activation* activation_ = nullptr;
};

inline SleepAwaiter sleep(Duration duration) noexcept { return SleepAwaiter{duration}; }

}  // namespace troupe::actor
