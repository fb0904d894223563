// Figures: what the service shows of itself, for tests: one family of metrics as text and
// numbers, and what has moved in it since.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime::testing {

using Figures = std::map<std::string, double>;  // by the values of the labels: "server 4003"

/// A family of counters or gauges. It must be there.
inline Figures figures_of(RealtimeWorld& world, std::string_view name) {
  const auto samples = world.world.block_on(world.realtime->metrics().ask(CollectMetrics{}));
  INVARIANT(samples.has_value(), "the collector answers");
  Figures figures;
  for (const auto& sample : samples->all()) {
    if (sample.name != name) continue;
    std::string labels;
    for (const auto& [label, value] : sample.labels) labels += (labels.empty() ? "" : " ") + value;
    INVARIANT(figures.emplace(labels, sample.value).second, "each label set is shown once");
  }
  INVARIANT(!figures.empty(), "the family is there");
  return figures;
}

/// Those that are not zero, in short: "other=2 server 4003=1".
inline std::string moved(RealtimeWorld& world, std::string_view name) {
  std::string text;
  for (const auto& [labels, value] : figures_of(world, name)) {
    if (value != 0) text += fmt::format("{}{}={}", text.empty() ? "" : " ", labels, value);
  }
  return text;
}

/// How many observations of a histogram are above `above`, one of its bounds; all of them without it.
inline std::uint64_t observed(RealtimeWorld& world, std::string_view name, std::string_view label = "",
                              double above = -1) {
  const auto samples = world.world.block_on(world.realtime->metrics().ask(CollectMetrics{}));
  INVARIANT(samples.has_value(), "the collector answers");
  std::uint64_t count = 0;
  for (const auto& spread : samples->spreads()) {
    if (spread.name != name || (!label.empty() && spread.labels.at(0).second != label)) continue;
    for (std::size_t i = 0; i < spread.counts.size(); ++i) {
      if (i == 0 ? above < 0 : spread.bounds[i - 1] >= above) count += spread.counts[i];
    }
  }
  return count;
}

}  // namespace troupe::realtime::testing
