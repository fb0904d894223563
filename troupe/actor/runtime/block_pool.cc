// See block_pool.h.
#include "troupe/actor/runtime/block_pool.h"

namespace troupe::actor {

void* BlockPool::carve(std::size_t size_class) {
  constexpr std::size_t slab_bytes = 64 * 1024;
  const std::size_t block = block_min << size_class;
  auto& slab = slabs_.emplace_back(std::make_unique_for_overwrite<std::byte[]>(slab_bytes));
  // The first block is the answer; the rest joins the free list, lowest address first.
  for (std::size_t at = slab_bytes - block; at >= block; at -= block) {
    release_class(slab.get() + at, size_class);
  }
  return slab.get();
}

}  // namespace troupe::actor
