// SharedText: a short immutable text that stands in many tables, in one word; copying one copies a reference.
//
// The block is counted atomically, so a text may cross cores. An empty one has no block. It is equal to, and ordered
// and hashed like, any other text of the same characters.
#pragma once

#include <atomic>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::base {

class SharedText {
 public:
  SharedText() = default;
  SharedText(std::string_view text) : block_(text.empty() ? nullptr : make(text)) {}
  SharedText(const std::string& text) : SharedText(std::string_view{text}) {}
  SharedText(const char* text) : SharedText(std::string_view{text}) {}
  /// A text of `size` characters, which `write` puts where it is told, all of them.
  template <std::invocable<char*> Write>
  static SharedText written(std::size_t size, Write&& write) {
    SharedText text;
    if (size == 0) return text;
    text.block_ = make_room(size);
    std::forward<Write>(write)(text.block_->characters());
    return text;
  }
  SharedText(const SharedText& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) block_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  SharedText(SharedText&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  SharedText& operator=(SharedText other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~SharedText() {
    if (block_ != nullptr) release(block_);
  }

  std::string_view view() const noexcept { return block_ == nullptr ? std::string_view{} : block_->view(); }
  operator std::string_view() const noexcept { return view(); }
  std::size_t size() const noexcept { return view().size(); }
  bool empty() const noexcept { return block_ == nullptr; }

  friend bool operator==(const SharedText& a, const SharedText& b) noexcept {
    return a.block_ == b.block_ || a.view() == b.view();
  }
  friend std::strong_ordering operator<=>(const SharedText& a, const SharedText& b) noexcept {
    return a.view() <=> b.view();
  }
  template <std::convertible_to<std::string_view> Text>
  friend bool operator==(const SharedText& a, const Text& b) noexcept {
    return a.view() == std::string_view{b};
  }
  /// For fmt.
  friend std::string_view format_as(const SharedText& text) noexcept { return text.view(); }

 private:
  /// The characters follow it.
  struct Block {
    std::atomic<std::uint32_t> owners;
    std::uint32_t size;

    char* characters() noexcept { return reinterpret_cast<char*>(this + 1); }
    std::string_view view() noexcept { return {characters(), size}; }
  };

  static Block* make(std::string_view text);
  static Block* make_room(std::size_t size);  // nobody has written the characters yet
  static void release(Block* block) noexcept;

  Block* block_ = nullptr;
};

}  // namespace troupe::base

template <>
struct std::hash<troupe::base::SharedText> {
  std::size_t operator()(const troupe::base::SharedText& text) const noexcept {
    return std::hash<std::string_view>{}(text.view());
  }
};
