// Reloader: the configuration of a server that runs, and what SIGHUP makes of it: all that
// is live of a sound file, or nothing of one that is wrong.
//
// Owned by `serve`, on the main thread. It knows the configuration as it was read: a port of
// 0 is another one in each run, and is no change.
#pragma once

#include <expected>
#include <functional>
#include <vector>

#include "troupe/app/config/load.h"

namespace troupe::app {

/// Reads the configuration again, from where the first one came.
using Reread = std::function<std::expected<Config, std::vector<Problem>>()>;

class Reloader {
 public:
  /// `use` is called with each new configuration that is sound.
  Reloader(Config config, Reread reread, std::function<void(Config)> use)
      : config_(std::move(config)), reread_(std::move(reread)), use_(std::move(use)) {}

  /// What holds now.
  const Config& config() const noexcept { return config_; }
  /// Whether there is a file to read.
  bool can_reload() const noexcept { return static_cast<bool>(reread_); }
  /// Reads, and takes all of it or nothing. Everything is logged: what changed, what waits, what is wrong.
  void reload();

 private:
  Config config_;
  Reread reread_;
  std::function<void(Config)> use_;
};

}  // namespace troupe::app
