// LoadFigures: what a load has done so far, of one core or of all, and how it is told.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "troupe/base/clock.h"
#include "troupe/realtime/load/latency_histogram.h"

namespace troupe::realtime {

struct LoadFigures {
  std::uint64_t connections_begun = 0;
  std::uint64_t connections_live = 0;  // open, and subscribed to all that is theirs
  std::uint64_t connections_failed = 0;
  std::uint64_t connections_lost = 0;  // after they were live
  std::uint64_t published = 0;
  std::uint64_t expected = 0;  // deliveries, by the subscribers that were live at the beginning
  std::uint64_t delivered = 0;
  std::uint64_t gaps = 0;     // frames that told one
  std::uint64_t told = 0;     // messages that these named
  std::uint64_t errors = 0;   // frames, and messages that were not ours
  std::uint64_t bytes = 0;    // of the messages that came
  LatencyHistogram latency;   // from the moment at which a publication was due to its delivery
  LatencyHistogram lateness;  // from that moment to when it was handed to its connection: our own fault
  std::map<std::string, std::uint64_t> faults;  // how often which of them, in words; at most 16

  void add(const LoadFigures& other);
  void fault(const std::string& words);
  /// What has neither come nor was told to be missing; while a load runs, also what is on its way.
  std::uint64_t missing() const noexcept { return expected > delivered + told ? expected - delivered - told : 0; }
};

/// "1.4 ms", with three digits.
std::string duration_words(base::Duration duration);

/// One line of progress, without its line break. `before`: what there was `since` ago.
std::string progress_line(const LoadFigures& now, const LoadFigures& before, base::Duration since, base::Duration at);

/// The summary for people, of several lines.
std::string summary_text(const LoadFigures& figures, base::Duration lasted);
/// The same as one JSON object; durations in microseconds.
std::string summary_json(const LoadFigures& figures, base::Duration lasted);

}  // namespace troupe::realtime
