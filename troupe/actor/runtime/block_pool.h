// BlockPool: the memory of envelopes, coroutine frames and timers of one core.
//
// Owned by one core and used on its thread only, so it needs no atomic operation. Seven
// sizes of block (64 bytes to 4 KiB, as the frame of a handler that asks has more than
// one) on free lists, carved from slabs that live as long as the pool; what is larger
// comes from the heap. A block that another core is done
// with goes home through that core's ring (core.h), never straight into this pool.
// Under AddressSanitizer each block is a heap block of its own, so that a use after
// free is seen.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <memory>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define TROUPE_POOL_PASSTHROUGH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TROUPE_POOL_PASSTHROUGH 1
#endif
#endif

namespace troupe::actor {

class BlockPool {
 public:
  static constexpr std::size_t block_min = 64;
  static constexpr std::size_t block_max = 4096;
  static constexpr std::size_t classes = 7;

  /// The class of a block that holds `bytes`; `classes` for what comes from the heap.
  static constexpr std::size_t class_of(std::size_t bytes) noexcept {
    if (bytes <= block_min) return 0;
    if (bytes > block_max) return classes;
    return static_cast<std::size_t>(std::bit_width((bytes - 1) / block_min));
  }

  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool() = default;

  /// A block of at least `bytes`, aligned to 16. Throws std::bad_alloc when the machine has none.
  void* allocate(std::size_t bytes) {
    const std::size_t c = class_of(bytes);
#if !defined(TROUPE_POOL_PASSTHROUGH)
    if (c < classes) {
      if (Free* block = free_[c]) [[likely]] {
        free_[c] = block->next;
        return block;
      }
      return carve(c);
    }
#endif
    return ::operator new(c < classes ? block_min << c : bytes);
  }

  /// Takes back a block that this pool gave for `bytes`.
  void release(void* memory, std::size_t bytes) noexcept { release_class(memory, class_of(bytes)); }

  /// The same, for who kept the class instead of the size.
  void release_class(void* memory, [[maybe_unused]] std::size_t size_class) noexcept {
#if !defined(TROUPE_POOL_PASSTHROUGH)
    if (size_class < classes) {
      free_[size_class] = new (memory) Free{free_[size_class]};
      return;
    }
#endif
    ::operator delete(memory);
  }

 private:
  struct Free {
    Free* next;
  };

  void* carve(std::size_t size_class);

  [[maybe_unused]] std::array<Free*, classes> free_{};
  std::vector<std::unique_ptr<std::byte[]>> slabs_;
};

}  // namespace troupe::actor
