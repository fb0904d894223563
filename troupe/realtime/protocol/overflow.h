// Overflow: what a subscription wants to happen when its reader is slower than its topic.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::realtime {

/// The last three need more than an outbox, and stand together.
enum class Overflow : std::uint8_t {
  drop_oldest,   // the oldest waiting message goes: late news is worth less than fresh news
  drop_newest,   // the new message goes: what waits stays whole
  latest,        // only the newest message of each topic waits
  disconnect,    // the connection ends with 4003: a reader that must see all had better start again
  spill,         // the topic's position is kept, and the rest read again from history when the socket takes it
  block,         // the publisher's ack waits until there is room, but not for long
  backpressure,  // publications are refused as long as there is little room
};

inline std::optional<Overflow> overflow_of(std::string_view name) noexcept {
  if (name == "drop_oldest") return Overflow::drop_oldest;
  if (name == "drop_newest") return Overflow::drop_newest;
  if (name == "latest") return Overflow::latest;
  if (name == "spill") return Overflow::spill;
  if (name == "block") return Overflow::block;
  if (name == "backpressure") return Overflow::backpressure;
  if (name == "disconnect") return Overflow::disconnect;
  return std::nullopt;
}

/// Whether publishers feel it, so that the configuration of a namespace alone can say it.
inline bool reaches_publishers(Overflow overflow) noexcept {
  return overflow == Overflow::block || overflow == Overflow::backpressure;
}

}  // namespace troupe::realtime
