// See codec.h.
#include "troupe/actor/codec.h"

#include "troupe/base/check.h"

namespace troupe::actor {

void Encoder::number(std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) bytes_.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

void Encoder::length(std::size_t size) {
  INVARIANT(size <= UINT32_MAX, "a text or list within a record has less than 2^32 entries");
  number(size, 4);
}

void Encoder::text(std::string_view text) {
  length(text.size());
  bytes_ += text;
}

void Encoder::begin_list() {
  if (++nesting_ > nesting_max) throw std::length_error("lists within lists, too deep to be recorded");
}

void Decoder::finish() const {
  if (!rest_.empty()) throw MalformedRecord("bytes are left over");
}

std::uint64_t Decoder::number(std::size_t width) {
  if (rest_.size() < width) throw MalformedRecord("it ends too early");
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value |= std::uint64_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
  rest_.remove_prefix(width);
  return value;
}

bool Decoder::flag() {
  const std::uint64_t value = number(1);
  if (value > 1) throw MalformedRecord("a truth value is neither 0 nor 1");
  return value == 1;
}

std::size_t Decoder::length() {
  const auto size = static_cast<std::size_t>(number(4));
  if (size > rest_.size()) throw MalformedRecord("it ends too early");
  return size;
}

void Decoder::begin_list() {
  if (++nesting_ > nesting_max) throw MalformedRecord("lists within lists, too deep");
}

std::string_view Decoder::text() {
  const std::size_t size = length();
  const std::string_view text = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return text;
}

}  // namespace troupe::actor
