// INVARIANT: our own bug is no error value. When the condition is false the process
// prints where and why, and stops: a wrong state must not be served to anybody.
//
// Use it for what only a mistake in this program can break. What a client or a
// dependency may do wrong is a value or an exception instead (docs/STYLE.md).
#pragma once

namespace troupe::base {

/// Prints "file:line: invariant `text` does not hold: why" to stderr and aborts. Any thread.
[[noreturn]] void invariant_failed(const char* file, int line, const char* text, const char* why) noexcept;

/// What is called after that line and before the end, to say more; one for the process. It must not return by throwing.
void on_broken_invariant(void (*say_more)()) noexcept;

}  // namespace troupe::base

#define INVARIANT(condition, why)                                            \
  do {                                                                       \
    if (!(condition)) [[unlikely]]                                           \
      ::troupe::base::invariant_failed(__FILE__, __LINE__, #condition, why); \
  } while (false)
