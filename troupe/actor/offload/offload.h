// Offload: work that blocks, done away from the cores; its result comes back as if it had been awaited.
//
//   auto hash = co_await blocking([password] { return argon2(password); });
//
// A job owns what it captures. If its actor is restarted or stopped meanwhile, the job still
// runs to its end and the result is thrown away; that its asker gives up does not end the await
// (asking.h). What the job throws, the await throws. When
// too many jobs wait, the await throws OffloadFull: a dependency that is overloaded.
//
// Whoever waits for others' servers has threads of its own (`thread_offload`, `blocking_on`), so that what is slow
// there does not hold up the jobs of everybody else.
#pragma once

#include <stdexcept>

#include "troupe/actor/task.h"

namespace troupe::actor {

struct OffloadOptions {
  std::size_t threads = 4;  // enough to overlap a commit with a password hash or two
  std::size_t queued_max = 4096;
};

/// The pool of threads. Its destructor waits for the jobs that run and discards those that wait. Throws
/// std::system_error where the threads are not to be had.
std::unique_ptr<Offload> thread_offload(OffloadOptions options);

class OffloadFull : public std::runtime_error {
 public:
  OffloadFull() : std::runtime_error("too many blocking jobs are waiting") {}
};

namespace detail {

/// What the job and the awaiting frame share. `activation` is touched on the home core alone.
template <class R>
struct JobState {
  Activation* activation = nullptr;
  std::optional<std::conditional_t<std::is_void_v<R>, bool, R>> value;
  std::exception_ptr error;

  template <class F>
  void run(F& work) noexcept {
    try {
      if constexpr (std::is_void_v<R>) {
        work();
        value = true;
      } else {
        value.emplace(work());
      }
    } catch (...) {
      error = std::current_exception();
    }
  }
  R take() {
    if (error) std::rethrow_exception(error);
    if constexpr (!std::is_void_v<R>) return std::move(*value);
  }
};

/// Waits for a job that runs elsewhere: `start(core, state)` sees to it that `finished` is called.
template <class R>
class JobAwaiter {
 public:
  JobAwaiter() = default;
  JobAwaiter(const JobAwaiter&) = delete;
  ~JobAwaiter() {
    if (state_) state_->activation = nullptr;
  }
  bool await_ready() const noexcept { return false; }
  R await_resume() { return state_->take(); }

 protected:
  std::shared_ptr<JobState<R>> begin(std::coroutine_handle<> frame) {
    INVARIANT(state_ == nullptr, "a job is awaited once: it has gone to where it runs");
    Activation& activation = awaiting();
    activation.point = frame;
    shield_ = Shield{&activation};
    state_ = std::make_shared<JobState<R>>();
    state_->activation = &activation;
    return state_;
  }
  /// The state goes home with the result, so that no other thread holds it when it is read.
  static void finished(std::shared_ptr<JobState<R>> state, Core& home) {
    home.post_remotely([state = std::move(state)](Core& core) {
      if (state->activation != nullptr) core.make_ready(*state->activation);
    });
  }

 private:
  std::shared_ptr<JobState<R>> state_;
  Shield shield_;
};

}  // namespace detail

template <class F>
class [[nodiscard]] BlockingAwaiter : public detail::JobAwaiter<std::invoke_result_t<F&>> {
  using Base = detail::JobAwaiter<std::invoke_result_t<F&>>;

 public:
  explicit BlockingAwaiter(F work, Offload* threads = nullptr) : work_(std::move(work)), threads_(threads) {}
  void await_suspend(std::coroutine_handle<> frame) {
    auto state = this->begin(frame);
    Core& home = *Core::current();
    Offload& threads = threads_ != nullptr ? *threads_ : home.host().offload();
    const bool taken = threads.submit(home, [state, &home, work = std::move(work_)]() mutable {
      state->run(work);
      Base::finished(std::move(state), home);
    });
    if (!taken) throw OffloadFull{};
  }

 private:
  F work_;
  Offload* threads_;  // null: the system's own
};

template <class F>
BlockingAwaiter<F> blocking(F work) {
  return BlockingAwaiter<F>{std::move(work)};
}

/// The same on these threads, which outlive the await and end before their system: each job reports to its core.
template <class F>
BlockingAwaiter<F> blocking_on(Offload& threads, F work) {
  return BlockingAwaiter<F>{std::move(work), &threads};
}

/// `co_await on_core(i, [](Core&) { ... })`: runs a short function on another core, between two of its messages.
template <class F>
class [[nodiscard]] OnCoreAwaiter : public detail::JobAwaiter<std::invoke_result_t<F&, Core&>> {
  using Base = detail::JobAwaiter<std::invoke_result_t<F&, Core&>>;

 public:
  OnCoreAwaiter(std::size_t core, F work) : core_(core), work_(std::move(work)) {}
  void await_suspend(std::coroutine_handle<> frame) {
    auto state = this->begin(frame);
    Core& home = *Core::current();
    home.host().core(core_).post_remotely([state, &home, work = std::move(work_)](Core& there) mutable {
      auto bound = [&] { return work(there); };
      state->run(bound);
      Base::finished(std::move(state), home);
    });
  }

 private:
  std::size_t core_;
  F work_;
};

template <class F>
OnCoreAwaiter<F> on_core(std::size_t core, F work) {
  return OnCoreAwaiter<F>{core, std::move(work)};
}

}  // namespace troupe::actor
