// Priority: which frames of different topics leave a connection first; within a topic the
// order is the topic's own.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::realtime {

enum class Priority : std::uint8_t { low, normal, high };

inline std::optional<Priority> priority_of(std::string_view name) noexcept {
  if (name == "low") return Priority::low;
  if (name == "normal") return Priority::normal;
  if (name == "high") return Priority::high;
  return std::nullopt;
}

}  // namespace troupe::realtime
