// Reload: what a configuration that was read again means for a server that runs.
//
// A pure function of two configurations, each of which is sound: what can be live becomes
// so, all the rest stays as it was, and both are named.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "troupe/app/config/load.h"

namespace troupe::app {

struct Reloaded {
  Config config;                     // what holds from now on
  std::vector<std::string> changed;  // the names of the keys that did
  std::vector<std::string> waiting;  // that changed in the file, and take effect with the next start
};

/// Or what would contradict itself until the next start.
std::expected<Reloaded, std::vector<Problem>> reload(const Config& running, const Config& wanted);

}  // namespace troupe::app
