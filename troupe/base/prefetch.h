// Memory that is brought near before it is needed: a walk over many objects, between which other work drives what they
// need out of the processor's caches, asks for the next ones while it serves the present one.
#pragma once

#include <cstddef>

namespace troupe::base {

/// Asks the processor to bring `bytes` from `memory` on, at least one, into its caches. Nothing that can be seen
/// happens, and the memory need not be there; of null nothing is asked. Any thread.
[[gnu::always_inline]] inline void prefetch(const void* memory, std::size_t bytes = 64) noexcept {
  if (memory == nullptr) return;
  constexpr std::size_t line_bytes = 64;
  const auto* first = static_cast<const char*>(memory);
  for (std::size_t at = 0; at < bytes - 1; at += line_bytes) __builtin_prefetch(first + at);
  __builtin_prefetch(first + bytes - 1);
}

}  // namespace troupe::base
