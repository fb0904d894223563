// floor_queue: floors (a) and (b) alone, one JSON line a slice as `load` prints them.
#include <fmt/format.h>

#include "bench/floor/queue.h"

int main() {
  using namespace troupe::bench;
  constexpr std::uint64_t messages = 1 << 20;
  pin_to(0);
  for (int slice = 0; slice < 20; ++slice) {
    const auto here = run_virtual_calls(messages);
    const auto across = run_ring(messages, 1);
    fmt::print("{{\"case\":\"one core\",\"side\":\"floor\",\"units\":{},\"wall_ns\":{}}}\n", messages, here.count());
    fmt::print("{{\"case\":\"two cores\",\"side\":\"floor\",\"units\":{},\"wall_ns\":{}}}\n", messages, across.count());
  }
}
