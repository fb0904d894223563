// HistoryChecker: one expectation for each observer and topic, one digest for each publication.
#include "troupe/realtime/protocol/history_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace troupe::realtime {

namespace {

// Never 0, which stands for what nobody has seen.
std::uint64_t digest_of(std::string_view content) { return std::hash<std::string_view>{}(content) | 1; }

bool is_inbox(std::string_view topic) { return topic.starts_with('$'); }

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
  ++figures_.epochs;
  return known.epochs[std::string{epoch}];
}

// ---- what a subscription promises ----

void HistoryChecker::subscribed(std::string_view observer, std::string_view topic, const Position& top,
                                const std::optional<Position>& from) {
  if (is_inbox(topic)) return;
  auto& known = stream(observer, topic);
  settle(observer, topic, known);
  auto& seen = record(topic, top.epoch.value());
  seen.top = std::max(seen.top, top.offset);
  from ? ++figures_.recoveries : ++figures_.refusals;
  if (from && from->epoch != top.epoch) violated(observer, topic, "recovered from an epoch that has ended");
  known = {.epoch = std::string{top.epoch.value()},
           .last = from ? from->offset : top.offset,
           .by_name = true,
           .active = true};
}

void HistoryChecker::unsubscribed(std::string_view name, std::string_view topic) {
  if (end_pattern(name, topic)) return;
  auto& known = stream(name, topic);
  known.by_name = false;
  if (known.active && place_of(observer(name), topic)) return;  // a pattern brings it
  settle(name, topic, known);
  known = {};
}

// What had come by patterns is where they go on when they are recovered, on whichever connection.
void HistoryChecker::closed(std::string_view name) {
  auto& gone = observer(name);
  for (auto& [topic, known] : gone.streams) {
    settle(name, topic, known);
    if (!known.active || !place_of(gone, topic)) continue;
    gone.left.insert_or_assign(
        topic, Stream{.epoch = known.epoch, .last = known.last, .active = true, .restarted = known.restarted});
  }
  for (const auto& [text, pattern] : gone.patterns) gone.left_patterns.insert_or_assign(text, pattern.after);
  gone.streams.clear();
  gone.patterns.clear();
  gone.seqs.clear();
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
  if (!stream.begin) return;
  stream.begin->left_out = stream.left_out;
  begun_.push_back({std::string{observer}, std::string{topic}, *std::exchange(stream.begin, std::nullopt)});
}

// ---- what comes ----

// Moves the expectation over from..to of what has come or was told; false when that is a violation.
bool HistoryChecker::advance(std::string_view observer_name, std::string_view topic, Stream& stream,
                             std::string_view epoch, Offset from, Offset to) {
  const auto restarted = std::exchange(stream.restarted, std::nullopt);
  if (!stream.active) {
    auto after = place_of(observer(observer_name), topic);
    if (!after) {
      violated(observer_name, topic, "something came that was not subscribed to");
      return false;
    }
    begin(observer_name, topic, stream, epoch, from, *std::move(after));
  } else if (restarted && (stream.epoch != epoch || from > stream.last + 1)) {
    settle(observer_name, topic, stream);
    begin(observer_name, topic, stream, epoch, from, *restarted);
  }
  if (stream.epoch != epoch) {
    settle(observer_name, topic, stream);
    if (from != 1) {
      violated(observer_name, topic, fmt::format("a new epoch begins at {}, not at 1", from));
    }
    stream.epoch = epoch;
    stream.first = from;
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
                             std::string_view content, const SeenInShard& seen) {
  ++figures_.deliveries;
  // Before its pattern is confirmed a number may be of a shard's epoch that this observer has not been told of.
  const bool counts = !seen.shard.empty() && place_of(observers_[std::string{observer}], topic);
  const SeenInShard place = counts ? seen : SeenInShard{};
  note(observer, topic, position, content, place);
  if (advance(observer, topic, stream(observer, topic), position.epoch.value(), position.offset, position.offset)) {
    follow_seq(observer, topic, place);
  }
}

// All observers must see the same at one place.
void HistoryChecker::note(std::string_view observer, std::string_view topic, const Position& position,
                          std::string_view content, const SeenInShard& seen) {
  if (position.offset == 0) return violated(observer, topic, "a message without an offset");
  auto& known = record(topic, position.epoch.value());
  known.top = std::max(known.top, position.offset);
  if (known.digests.size() < position.offset) known.digests.resize(position.offset);
  auto& digest = known.digests[position.offset - 1];
  if (digest == 0) digest = digest_of(content);
  if (digest != digest_of(content)) {
    violated(observer, topic, fmt::format("at {} others saw another message", position.offset));
  }
  if (!seen.shard.empty()) note_seq(observer, topic, known, position, seen);
}

void HistoryChecker::gap(std::string_view observer, std::string_view topic, std::string_view epoch, Offset from,
                         Offset to) {
  if (is_inbox(topic)) return;
  ++figures_.gaps;
  if (from == 0 || from > to) return violated(observer, topic, fmt::format("a gap of {}..{}", from, to));
  figures_.missed += to - from + 1;
  auto& seen = record(topic, epoch);
  seen.top = std::max(seen.top, to);
  advance(observer, topic, stream(observer, topic), epoch, from, to);
}

// ---- publications of an observer's own ----

void HistoryChecker::left_out(std::string_view name, std::string_view topic) {
  auto& known = stream(name, topic);
  if (known.active || place_of(observer(name), topic)) ++known.left_out;
}

void HistoryChecker::acknowledged(std::string_view name, std::string_view topic, const Position& position,
                                  std::string_view content, bool was_left_out) {
  ++figures_.acknowledged;
  note(name, topic, position, content);
  auto& known = stream(name, topic);
  if (!was_left_out) return;
  if (known.left_out > 0) --known.left_out;
  if (!known.active) {
    auto after = place_of(observer(name), topic);
    if (!after) return;
    begin(name, topic, known, position.epoch.value(), position.offset, *std::move(after));
    known.last = position.offset;
    return;
  }
  if (known.epoch != position.epoch.value()) return;
  auto offset = position.offset;
  if (offset > known.last) {
    if (offset > known.last + 1) known.holes.push_back({known.last + 1, offset - 1});
    known.last = offset;
    return;
  }
  auto hole =
      std::ranges::find_if(known.holes, [&](const Range& range) { return range.from <= offset && offset <= range.to; });
  if (hole == known.holes.end() && offset < known.first) {  // others came first, and with them the pattern began
    if (known.begin) known.begin->own.push_back(offset);
    return;
  }
  if (hole == known.holes.end()) return violated(name, topic, fmt::format("{} came though it was left out", offset));
  Range behind{offset + 1, hole->to};
  hole->to = offset - 1;
  if (behind.from <= behind.to) known.holes.insert(std::next(hole), behind);
  std::erase_if(known.holes, [](const Range& range) { return range.from > range.to; });
}

void HistoryChecker::finish(bool quiet) {
  for (auto& [name, observer] : observers_) {
    for (auto& [topic, known] : observer.streams) {
      settle(name, topic, known);
      if (!quiet || !known.active || known.restarted) continue;
      const auto& seen = topics_[topic];
      if (seen.newest != known.epoch) {
        violated(name, topic, "it was not told of the new epoch");
      } else if (auto top = seen.epochs.find(known.epoch)->second.top; known.last < top) {
        violated(name, topic, fmt::format("{}..{} never came and were not told", known.last + 1, top));
      }
    }
    if (quiet) finish_patterns(name, observer);
  }
  for (const auto& [name, topic, begin] : begun_) judge(name, topic, begin);
  begun_.clear();
}

}  // namespace troupe::realtime
