// Bytes: an immutable run of bytes that many may hold; copying one copies a reference, in one word.
//
// The block is counted atomically, so a Bytes may cross cores; who hands one to many
// receivers on one core wraps it once there instead of counting for each of them.
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <utility>

#include "troupe/base/shared_text.h"

namespace troupe::base {

class Bytes {
 public:
  Bytes() = default;
  /// Copies them into a block of just their size.
  explicit Bytes(std::string_view bytes) : block_(bytes) {}
  /// `size` of them, which `write` puts where it is told, all of them.
  template <std::invocable<char*> Write>
  static Bytes written(std::size_t size, Write&& write) {
    Bytes bytes;
    bytes.block_ = SharedText::written(size, std::forward<Write>(write));
    return bytes;
  }

  std::string_view view() const noexcept { return block_.view(); }
  std::size_t size() const noexcept { return block_.size(); }
  bool empty() const noexcept { return block_.empty(); }
  const char* data() const noexcept { return view().data(); }

  friend bool operator==(const Bytes&, const Bytes&) = default;

 private:
  SharedText block_;
};

}  // namespace troupe::base
