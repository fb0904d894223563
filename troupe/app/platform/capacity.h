// Capacity: what this process may open and keep, and whether that is enough for what its
// configuration promises.
//
// judge() is a pure function; what the machine grants is asked once, at the start, before
// anything else is opened.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "troupe/realtime/service/options.h"

namespace troupe::app {

/// What the machine grants.
struct Machine {
  std::size_t open_files_max = 0;  // 0: nobody knows
  std::size_t memory_bytes = 0;    // 0: nobody knows
};

/// A machine against a configuration with all its places taken.
struct Capacity {
  std::size_t connections = 0;  // WebSockets that there is room for; never more than are configured
  std::size_t open_files_needed = 0;
  std::size_t memory_bytes_needed = 0;  // of quiet connections, and of histories that are full
  bool files_suffice = true;
  bool memory_suffices = true;
};

/// Raises the soft limit of open files to the hard one, and tells what there is.
Machine claim_machine();

/// Throws CommandFailed where there are so few descriptors that the server could not even start.
void refuse_too_few_files(const Machine& machine);

Capacity judge(const Machine& machine, const realtime::RealtimeOptions& options, std::size_t cores);

/// Logs what the server can hold, and warns of what is too little.
void tell_capacity(const Machine& machine, const realtime::RealtimeOptions& options, std::size_t cores);
/// Warns alone.
void warn_of_shortage(const Machine& machine, const realtime::RealtimeOptions& options, std::size_t cores);

/// The number of bytes in a file such as memory.max; nothing for "max" and what is no number.
std::optional<std::size_t> read_limit(std::string_view text);

}  // namespace troupe::app
