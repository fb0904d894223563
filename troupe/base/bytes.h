// Bytes: an immutable run of bytes that many may hold; copying one copies a reference.
//
// The block is counted atomically, so a Bytes may cross cores; who hands one to many
// receivers on one core wraps it once there instead of counting for each of them.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace troupe::base {

class Bytes {
 public:
  Bytes() = default;
  /// Takes the string over as the block; no byte is copied.
  explicit Bytes(std::string text) : block_(std::make_shared<const std::string>(std::move(text))), view_(*block_) {}
  static Bytes copy(std::string_view text) { return Bytes{std::string{text}}; }

  std::string_view view() const noexcept { return view_; }
  std::size_t size() const noexcept { return view_.size(); }
  bool empty() const noexcept { return view_.empty(); }
  const char* data() const noexcept { return view_.data(); }

  /// A part of the same block. `from` and `count` are clamped to the size.
  Bytes slice(std::size_t from, std::size_t count = std::string_view::npos) const& {
    return Bytes{*this}.slice(from, count);
  }
  Bytes slice(std::size_t from, std::size_t count = std::string_view::npos) && {
    view_ = view_.substr(std::min(from, view_.size()), count);
    return std::move(*this);
  }

  friend bool operator==(const Bytes& a, const Bytes& b) noexcept { return a.view_ == b.view_; }

 private:
  std::shared_ptr<const std::string> block_;
  std::string_view view_;
};

}  // namespace troupe::base
