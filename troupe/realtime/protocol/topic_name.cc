// See topic_name.h.
#include "troupe/realtime/protocol/topic_name.h"

#include <cstdint>

namespace troupe::realtime {

std::size_t home_of(std::string_view topic, std::size_t count) noexcept {
  if (count == 1) return 0;
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a: good enough for placing, and no secret decides it
  for (char c : topic) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return static_cast<std::size_t>((hash ^ (hash >> 32)) % count);
}

}  // namespace troupe::realtime
