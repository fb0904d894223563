// See shared_text.h.
#include "troupe/base/shared_text.h"

#include <algorithm>
#include <new>

#include "troupe/base/check.h"

namespace troupe::base {

SharedText::Block* SharedText::make_room(std::size_t size) {
  INVARIANT(size <= UINT32_MAX, "a shared text has less than 4 GiB");
  return new (::operator new(sizeof(Block) + size)) Block{1, static_cast<std::uint32_t>(size)};
}

SharedText::Block* SharedText::make(std::string_view text) {
  auto* block = make_room(text.size());
  std::ranges::copy(text, block->characters());
  return block;
}

void SharedText::release(Block* block) noexcept {
  // Whoever frees it has seen all that others did with it before. The only owner need not count: nobody else can copy.
  const bool is_last =
      block->owners.load(std::memory_order_acquire) == 1 || block->owners.fetch_sub(1, std::memory_order_acq_rel) == 1;
  if (!is_last) return;
  block->~Block();
  ::operator delete(block);
}

}  // namespace troupe::base
