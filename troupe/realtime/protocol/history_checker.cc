// HistoryChecker: one expectation for each observer and topic, one digest for each publication.
#include "troupe/realtime/protocol/history_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "troupe/realtime/protocol/topic_name.h"

namespace troupe::realtime {

namespace {

// Never 0, which stands for what nobody has seen.
std::uint64_t digest_of(std::string_view content) { return std::hash<std::string_view>{}(content) | 1; }

}  // namespace

void HistoryChecker::violated(std::string_view observer, std::string_view topic, std::string what) {
  ++figures_.violations;
  if (violations_.size() == violations_kept) return;
  violations_.push_back({at_, fmt::format("{}, topic {}: {}", observer, topic, what)});
}

HistoryChecker::Stream& HistoryChecker::stream(std::string_view observer_name, std::string_view topic) {
  return observer(observer_name).streams[std::string{topic}];
}

HistoryChecker::Record& HistoryChecker::record(std::string_view topic, std::string_view epoch) {
  auto& known = topics_[std::string{topic}];
  auto found = known.epochs.find(epoch);
  if (found != known.epochs.end()) return found->second;
  known.newest = epoch;
  return known.epochs[std::string{epoch}];
}

// ---- what a subscription promises ----

void HistoryChecker::subscribed(std::string_view observer, std::string_view topic, const Position& top,
                                const std::optional<Position>& from) {
  auto& known = stream(observer, topic);
  settle(observer, topic, known);
  auto& seen = record(topic, top.epoch.value());
  seen.top = std::max(seen.top, top.offset);
  from ? ++figures_.recoveries : ++figures_.refusals;
  if (from && from->epoch != top.epoch) violated(observer, topic, "recovered from an epoch that has ended");
  known = {.epoch = top.epoch.value(), .last = from ? from->offset : top.offset, .by_name = true, .active = true};
}

void HistoryChecker::subscribed_pattern(std::string_view name) { ++observer(name).patterns; }

void HistoryChecker::recovered_pattern(std::string_view name, std::string_view pattern_text) {
  ++figures_.recoveries;
  auto& known = observer(name);
  ++known.patterns;
  auto pattern = TopicPattern::parse(pattern_text);
  if (!pattern) return violated(name, pattern_text, "recovered, and no pattern");
  auto covers = [&](const std::string& topic) {
    auto parsed = TopicName::parse(topic);
    return parsed && pattern->matches(*parsed);
  };
  for (auto& [topic, stream] : known.left) {
    if (covers(topic)) known.streams.try_emplace(topic, std::move(stream));
  }
  std::erase_if(known.left, [&](const auto& entry) { return covers(entry.first); });
  for (auto& [topic, stream] : known.streams) stream.repeats |= covers(topic);
}

void HistoryChecker::unsubscribed(std::string_view observer, std::string_view topic) {
  auto& known = stream(observer, topic);
  settle(observer, topic, known);
  known = {};
}

void HistoryChecker::closed(std::string_view name) {
  auto& gone = observer(name);
  for (auto& [topic, known] : gone.streams) settle(name, topic, known);
  gone.left.clear();
  if (gone.patterns > 0) gone.left = std::move(gone.streams);
  std::erase_if(gone.left, [](const auto& entry) { return !entry.second.active; });
  gone.streams.clear();
  gone.patterns = 0;
}

// Holes that no acknowledgement has filled. Those on their way when the connection ended cannot be told from them.
void HistoryChecker::settle(std::string_view observer, std::string_view topic, Stream& stream) {
  std::uint64_t missing = 0;
  for (const auto& hole : stream.holes) missing += hole.to - hole.from + 1;
  if (missing > stream.left_out) {
    const auto& first = stream.holes.front();
    violated(observer, topic, fmt::format("{}..{} never came and were not told", first.from, first.to));
  }
  stream.holes.clear();
}

// ---- what comes ----

// Moves the expectation over from..to of what has come or was told; false when that is a violation.
bool HistoryChecker::advance(std::string_view observer_name, std::string_view topic, Stream& stream,
                             std::string_view epoch, Offset from, Offset to) {
  if (!stream.active) {
    if (observer(observer_name).patterns == 0) {
      violated(observer_name, topic, "something came that was not subscribed to");
      return false;
    }
    stream = {.epoch = std::string{epoch}, .last = from - 1, .active = true};
  }
  if (stream.epoch != epoch) {
    settle(observer_name, topic, stream);
    if (from != 1) {
      violated(observer_name, topic, fmt::format("a new epoch begins at {}, not at 1", from));
    }
    stream.epoch = epoch;
    stream.last = from - 1;
  }
  if (stream.repeats && from <= stream.last) {
    if (to <= stream.last) return false;
    from = stream.last + 1;
  }
  stream.repeats = false;
  if (from <= stream.last) {
    violated(observer_name, topic, fmt::format("after {} came {} again", stream.last, from));
    return false;
  }
  if (from > stream.last + 1) {
    if (stream.left_out > 0) {
      stream.holes.push_back({stream.last + 1, from - 1});
    } else {
      violated(observer_name, topic, fmt::format("after {} came {}; what is between was not told", stream.last, from));
    }
  }
  stream.last = to;
  return true;
}

void HistoryChecker::message(std::string_view observer, std::string_view topic, const Position& position,
                             std::string_view content) {
  ++figures_.deliveries;
  if (!advance(observer, topic, stream(observer, topic), position.epoch.value(), position.offset, position.offset)) {
    return;
  }
  note(observer, topic, position, content);
}

// All observers must see the same at one place.
void HistoryChecker::note(std::string_view observer, std::string_view topic, const Position& position,
                          std::string_view content) {
  auto& seen = record(topic, position.epoch.value());
  seen.top = std::max(seen.top, position.offset);
  if (seen.digests.size() < position.offset) seen.digests.resize(position.offset);
  auto& digest = seen.digests[position.offset - 1];
  if (digest == 0) digest = digest_of(content);
  if (digest != digest_of(content)) {
    violated(observer, topic, fmt::format("at {} others saw another message", position.offset));
  }
}

void HistoryChecker::gap(std::string_view observer, std::string_view topic, std::string_view epoch, Offset from,
                         Offset to) {
  ++figures_.gaps;
  if (from == 0 || from > to) return violated(observer, topic, fmt::format("a gap of {}..{}", from, to));
  figures_.missed += to - from + 1;
  auto& seen = record(topic, epoch);
  seen.top = std::max(seen.top, to);
  advance(observer, topic, stream(observer, topic), epoch, from, to);
}

// ---- publications of an observer's own ----

void HistoryChecker::left_out(std::string_view observer, std::string_view topic) {
  auto& known = stream(observer, topic);
  if (known.active) ++known.left_out;
}

void HistoryChecker::acknowledged(std::string_view observer, std::string_view topic, const Position& position,
                                  std::string_view content, bool was_left_out) {
  ++figures_.acknowledged;
  note(observer, topic, position, content);
  auto& known = stream(observer, topic);
  if (!was_left_out || !known.active || known.epoch != position.epoch.value()) return;
  if (known.left_out > 0) --known.left_out;
  auto offset = position.offset;
  if (offset > known.last) {
    if (offset > known.last + 1) known.holes.push_back({known.last + 1, offset - 1});
    known.last = offset;
    return;
  }
  auto hole =
      std::ranges::find_if(known.holes, [&](const Range& range) { return range.from <= offset && offset <= range.to; });
  if (hole == known.holes.end())
    return violated(observer, topic, fmt::format("{} came though it was left out", offset));
  Range behind{offset + 1, hole->to};
  hole->to = offset - 1;
  if (behind.from <= behind.to) known.holes.insert(std::next(hole), behind);
  std::erase_if(known.holes, [](const Range& range) { return range.from > range.to; });
}

void HistoryChecker::finish(bool quiet) {
  for (auto& [name, observer] : observers_) {
    for (auto& [topic, known] : observer.streams) {
      settle(name, topic, known);
      if (!quiet || !known.active) continue;
      const auto& seen = topics_[topic];
      if (seen.newest != known.epoch) {
        violated(name, topic, "it was not told of the new epoch");
      } else if (auto top = seen.epochs.find(known.epoch)->second.top; known.last < top) {
        violated(name, topic, fmt::format("{}..{} never came and were not told", known.last + 1, top));
      }
    }
  }
}

}  // namespace troupe::realtime
