// CoreMemory: the memory of what is made and ended all the time on one core: it comes from the core's pool.
//
// To be inherited from. 16 bytes in front name the pool; null for what was made outside of any core, which is of the
// heap. It must not outlive its core, and ends on any thread.
#pragma once

#include <cstddef>
#include <new>

#include "troupe/actor/runtime/core.h"

namespace troupe::actor {

struct CoreMemory {
  static constexpr std::size_t prefix = 16;

  static void* operator new(std::size_t bytes) {
    Core* core = Core::current();
    void* block = core != nullptr ? core->pool().allocate(bytes + prefix) : ::operator new(bytes + prefix);
    *static_cast<Core**>(block) = core;
    return static_cast<std::byte*>(block) + prefix;
  }
  static void operator delete(void* memory, std::size_t bytes) noexcept {
    void* block = static_cast<std::byte*>(memory) - prefix;
    Core* core = *static_cast<Core**>(block);
    if (core != nullptr) {
      core->take_back(block, bytes + prefix);
    } else {
      ::operator delete(block);
    }
  }
};

}  // namespace troupe::actor
