// The files that the configuration names by their paths and the server uses as they are at its start: the logo of the
// pages, and the list of breached passwords. Opened once, when the configuration is loaded.
#pragma once

#include <cstdint>
#include <vector>

#include "troupe/app/config/check.h"

namespace troupe::app {

enum class Reading : std::uint8_t {
  first,
  again,  // by a server that runs: what a pipe had has been read, and to open it may wait for ever
};

/// Fills in what stands in those files. Appends a Problem for what cannot be read, or is not what it should be; at a
/// first reading also for a file of TLS that cannot be read.
void read_named_files(Config& config, const Places& places, Reading reading, std::vector<Problem>& problems);

/// Leaves in `config` what `running` has read: those files are read at a start, and not in between.
void keep_named_files(const Config& running, Config& config);

}  // namespace troupe::app
