// story_of: what a client was told of one topic, in a few words, for tests: "1-40 gap 41-60 expired 61-99".
//
// Offsets that follow each other are one range; whatever does not follow stands beside it.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime::testing {

inline std::string story_of(const Frames& frames, std::string_view topic = "t") {
  std::string story;
  std::string epoch;
  unsigned long from = 0, to = 0;
  auto add = [&](std::string_view text) { story += (story.empty() ? "" : " ") + std::string{text}; };
  auto end_range = [&] {
    if (from != 0) add(from == to ? fmt::format("{}", from) : fmt::format("{}-{}", from, to));
    from = to = 0;
  };
  for (const auto& frame : frames) {
    const auto type = field(frame, "type");
    if (field(frame, "topic") != topic || (type != "message" && type != "gap")) continue;
    if (auto its_epoch = field(frame, "epoch"); its_epoch != epoch) {
      end_range();
      if (!epoch.empty()) add("new epoch");
      epoch = its_epoch;
    }
    if (type == "gap") {
      end_range();
      add(fmt::format("gap {}-{} {}", field(frame, "from"), field(frame, "to"), field(frame, "reason")));
      continue;
    }
    const auto offset = std::stoul(field(frame, "offset"));
    if (from == 0 || offset != to + 1) {
      end_range();
      from = offset;
    }
    to = offset;
  }
  end_range();
  return story;
}

}  // namespace troupe::realtime::testing
