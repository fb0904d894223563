// See shared_text.h.
#include "troupe/base/shared_text.h"

#include <algorithm>
#include <new>

#include "troupe/base/check.h"

namespace troupe::base {

SharedText::Block* SharedText::make(std::string_view text) {
  INVARIANT(text.size() <= UINT32_MAX, "a shared text is short");
  auto* block = new (::operator new(sizeof(Block) + text.size())) Block{1, static_cast<std::uint32_t>(text.size())};
  std::ranges::copy(text, block->characters());
  return block;
}

void SharedText::release(Block* block) noexcept {
  // Whoever frees it has seen all that others did with it before.
  if (block->owners.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  block->~Block();
  ::operator delete(block);
}

}  // namespace troupe::base
