// FloodGate: how many lines of one kind the log takes in a second, so that a fault of every request fills no disk.
//
// A kind are the lines of one level and component whose text is the same but for its numbers. What is left out is
// counted and told of when its second is over. Owned by the log, under its lock.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/base/log.h"

namespace troupe::base::log {

class FloodGate {
 public:
  static constexpr Duration window = std::chrono::seconds{1};
  static constexpr std::uint32_t lines_max = 20;  // of one kind in one window
  static constexpr std::size_t kinds_max = 64;    // in one window; further ones count as one kind

  /// What was left out of one kind, with the last of it.
  struct LeftOut {
    Level level;
    std::string component;
    std::string message;
    std::uint64_t lines;
  };

  /// Whether this line is written. Below `warning` every line is.
  bool admits(Level level, std::string_view component, std::string_view message, Instant now);

  /// What windows that are over by `now` have left out; each is given once.
  std::vector<LeftOut> take_left_out(Instant now);

 private:
  struct Kind {
    Instant since{};
    std::uint32_t written = 0;
    LeftOut left_out{};
  };

  Kind& kind_of(Level level, std::string_view component, std::string_view message, Instant now);

  std::map<std::string, Kind, std::less<>> kinds_;
};

}  // namespace troupe::base::log
