// See fiber.h. ucontext switches the registers; the sanitizers are told which stack is in use.
#include "troupe/store/fiber.h"

#include <cxxabi.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "troupe/base/check.h"

#if __has_feature(address_sanitizer)
#include <sanitizer/common_interface_defs.h>
#endif
#if __has_feature(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#endif

namespace troupe::store {
namespace {

constexpr std::size_t stack_bytes = 512 * 1024;  // touched pages alone cost memory; sanitizers make frames large

/// Memory for a stack, with a guard page at its lower end.
class Stack {
 public:
  Stack() : guard_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
    constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
    memory_ = ::mmap(nullptr, guard_ + stack_bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory_ == MAP_FAILED) throw std::system_error{errno, std::generic_category(), "the stack of a fiber"};
    if (::mprotect(memory_, guard_, PROT_NONE) == 0) return;
    const int error = errno;
    ::munmap(memory_, guard_ + stack_bytes);
    throw std::system_error{error, std::generic_category(), "the guard page of a fiber"};
  }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  ~Stack() { ::munmap(memory_, guard_ + stack_bytes); }

  void* bottom() const noexcept { return static_cast<std::byte*>(memory_) + guard_; }

 private:
  std::size_t guard_;
  void* memory_;
};

/// What the C++ runtime keeps for a thread of the exceptions that are being handled: the Itanium ABI names both
/// members. Each stack has its own.
struct Exceptions {
  void* caught = nullptr;
  unsigned int uncaught = 0;

  void swap_with_thread() noexcept {
    auto* of_thread = reinterpret_cast<Exceptions*>(abi::__cxa_get_globals());
    std::swap(caught, of_thread->caught);
    std::swap(uncaught, of_thread->uncaught);
  }
};

/// Tells the sanitizers of each switch; does nothing where there are none.
class Switches {
 public:
  Switches() = default;
  Switches(const Switches&) = delete;
  Switches& operator=(const Switches&) = delete;
#if __has_feature(address_sanitizer)
  void before_entering(const Stack& stack) noexcept {
    __sanitizer_start_switch_fiber(&outer_fake_, stack.bottom(), stack_bytes);
  }
  void after_entering() noexcept { __sanitizer_finish_switch_fiber(inner_fake_, &outer_bottom_, &outer_bytes_); }
  /// `last`: what stood on the stack is over.
  void before_leaving(bool last) noexcept {
    __sanitizer_start_switch_fiber(last ? nullptr : &inner_fake_, outer_bottom_, outer_bytes_);
    if (last) inner_fake_ = nullptr;
  }
  void after_leaving() noexcept { __sanitizer_finish_switch_fiber(outer_fake_, nullptr, nullptr); }

 private:
  void* outer_fake_ = nullptr;
  void* inner_fake_ = nullptr;
  const void* outer_bottom_ = nullptr;
  std::size_t outer_bytes_ = 0;
#elif __has_feature(thread_sanitizer)
  ~Switches() {
    if (inner_ != nullptr) __tsan_destroy_fiber(inner_);
  }
  void before_entering(const Stack&) noexcept {
    if (inner_ == nullptr) inner_ = __tsan_create_fiber(0);
    outer_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(inner_, 0);
  }
  void after_entering() noexcept {}
  void before_leaving(bool) noexcept { __tsan_switch_to_fiber(outer_, 0); }
  void after_leaving() noexcept {}

 private:
  void* outer_ = nullptr;
  void* inner_ = nullptr;
#else
  void before_entering(const Stack&) noexcept {}
  void after_entering() noexcept {}
  void before_leaving(bool) noexcept {}
  void after_leaving() noexcept {}
#endif
};

}  // namespace

struct Fiber::State {
  Stack stack;
  ucontext_t outer{};
  ucontext_t inner{};
  std::move_only_function<void()> function;
  Exceptions exceptions;
  Switches switches;
  bool is_busy = false;
  bool is_inside = false;

  void enter() {
    is_inside = true;
    exceptions.swap_with_thread();
    switches.before_entering(stack);
    swapcontext(&outer, &inner);
    switches.after_leaving();
    exceptions.swap_with_thread();
    is_inside = false;
  }

  void leave(bool last) {
    switches.before_leaving(last);
    swapcontext(&inner, &outer);
    switches.after_entering();
  }

  void run() noexcept {  // an exception that came this far has nowhere to go
    switches.after_entering();
    function();
    function = nullptr;
    is_busy = false;
    leave(true);
  }

  /// makecontext hands over numbers of 32 bits alone.
  static void begin(unsigned int high, unsigned int low) {
    reinterpret_cast<State*>(static_cast<std::uintptr_t>(high) << 32 | low)->run();
  }
};

Fiber::Fiber() : state_(std::make_unique<State>()) {}

Fiber::~Fiber() { INVARIANT(!state_->is_busy, "a fiber is destroyed in the middle of its function"); }

void Fiber::start(std::move_only_function<void()> function) {
  INVARIANT(!state_->is_busy, "a fiber runs one function at a time");
  state_->function = std::move(function);
  state_->is_busy = true;
  getcontext(&state_->inner);
  state_->inner.uc_stack = {.ss_sp = state_->stack.bottom(), .ss_flags = 0, .ss_size = stack_bytes};
  state_->inner.uc_link = nullptr;
  const auto address = reinterpret_cast<std::uintptr_t>(state_.get());
  makecontext(&state_->inner, reinterpret_cast<void (*)()>(&State::begin), 2, static_cast<unsigned int>(address >> 32),
              static_cast<unsigned int>(address));
  state_->enter();
}

void Fiber::resume() {
  INVARIANT(state_->is_busy && !state_->is_inside, "a fiber is resumed from outside, where it has paused");
  state_->enter();
}

void Fiber::pause() {
  INVARIANT(state_->is_inside, "a fiber pauses from inside");
  state_->leave(false);
}

bool Fiber::is_busy() const noexcept { return state_->is_busy; }

}  // namespace troupe::store
