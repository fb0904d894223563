// MissedRanges: each topic's own, whatever comes between, and in the order in which they began.
#include "troupe/realtime/topic/missed_ranges.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace troupe::realtime {
namespace {

std::string text_of(std::vector<Missed> ranges) {
  std::string text;
  for (const auto& range : ranges)
    text += fmt::format("{}/{}:{}-{} ", range.topic.text(), range.epoch.value(), range.from, range.to);
  return text;
}

TEST_CASE("what is missed of a topic is one range, however many other topics come between") {
  MissedRanges missed;
  const auto add = [&](std::string_view topic, std::string_view epoch, Offset offset) {
    missed.add(TopicName::parse(topic).value(), {Epoch{std::string{epoch}}, offset});
  };
  CHECK(missed.empty());
  for (Offset offset = 3; offset <= 5; ++offset) {
    add("a", "e", offset);
    add("b", "e", offset + 10);
  }
  add("a", "e", 7);  // the core was given the one before
  add("a", "f", 1);
  add("a", "f", 2);
  add("b", "e", 16);
  CHECK_FALSE(missed.empty());
  CHECK_EQ(text_of(missed.take()), "a/e:3-5 b/e:13-16 a/e:7-7 a/f:1-2 ");
  CHECK(missed.empty());
  add("a", "f", 3);  // what was told before is not told again
  CHECK_EQ(text_of(missed.take()), "a/f:3-3 ");
}

}  // namespace
}  // namespace troupe::realtime
