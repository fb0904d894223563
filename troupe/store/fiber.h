// Fiber: a function on a stack of its own, which can pause in the middle of any call and be resumed.
//
// For code that is written as if it waited, and must not hold its thread. Owned by who resumes it; one thread. Used
// again and again: its stack stays. Exceptions do not cross it: the function catches its own, and what it handles when
// it pauses is not seen outside. Below the stack lies a page that nobody may touch.
#pragma once

#include <functional>
#include <memory>

namespace troupe::store {

class Fiber {
 public:
  /// Makes the stack. Throws std::system_error where there is no memory.
  Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  /// It must not be in the middle of a function.
  ~Fiber();

  /// Runs `function` until its first pause, or its end. It must not throw.
  void start(std::move_only_function<void()> function);
  /// Goes on behind the pause, until the next one or the end.
  void resume();
  /// Inside the function: gives the thread back to who started or resumed it.
  void pause();

  /// Whether a function has begun and not ended.
  bool is_busy() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace troupe::store
