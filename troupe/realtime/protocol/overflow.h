// Overflow: what a subscription wants to happen when its reader is slower than its topic.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::realtime {

enum class Overflow : std::uint8_t {
  drop_oldest,  // the oldest waiting message goes: late news is worth less than fresh news
  drop_newest,  // the new message goes: what waits stays whole
  latest,       // only the newest message of each topic waits
  spill,        // the topic's position is kept, and the rest read again from history when the socket takes it
  disconnect,   // the connection ends with 4003: a reader that must see all had better start again
};

inline std::optional<Overflow> overflow_of(std::string_view name) noexcept {
  if (name == "drop_oldest") return Overflow::drop_oldest;
  if (name == "drop_newest") return Overflow::drop_newest;
  if (name == "latest") return Overflow::latest;
  if (name == "spill") return Overflow::spill;
  if (name == "disconnect") return Overflow::disconnect;
  return std::nullopt;
}

}  // namespace troupe::realtime
