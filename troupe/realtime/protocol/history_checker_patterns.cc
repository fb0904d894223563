// HistoryChecker: patterns. Where one is stands in the shards; what must have come is known by the numbers that
// messages have there, as anybody saw them.
#include <fmt/format.h>

#include <algorithm>

#include "troupe/realtime/protocol/history_checker.h"

namespace troupe::realtime {

namespace {

bool covers(const TopicPattern& pattern, std::string_view topic) {
  const auto name = TopicName::parse(topic);
  return name && pattern.matches(*name);
}

/// Of each shard the lower place of the two.
void lower(ShardPositions& places, const ShardPositions& others) {
  for (const auto& [shard, place] : others) {
    const auto known = places.find(shard);
    if (known != places.end() && known->second.epoch == place.epoch) {
      known->second.offset = std::min(known->second.offset, place.offset);
    }
  }
}

}  // namespace

/// After what a topic goes on by the patterns of an observer, the lowest of them; nothing where none covers it.
std::optional<ShardPositions> HistoryChecker::place_of(const Observer& observer, std::string_view topic) {
  std::optional<ShardPositions> lowest;
  for (const auto& [text, pattern] : observer.patterns) {
    if (!covers(pattern.pattern, topic)) continue;
    lowest ? lower(*lowest, pattern.after) : void(lowest = pattern.after);
  }
  return lowest;
}

HistoryChecker::Pattern* HistoryChecker::put_pattern(std::string_view name, std::string_view text,
                                                     ShardPositions after) {
  auto pattern = TopicPattern::parse(text);
  if (!pattern) {
    violated(name, text, "a pattern was confirmed that is none");
    return nullptr;
  }
  auto& known = observer(name);
  known.seqs.clear();  // what it brings at first may be older than what others have brought
  for (const auto& [name_of_shard, place] : after) {
    known.shards.insert_or_assign(name_of_shard, place.epoch);
    auto& shard = shards_[name_of_shard];
    if (shard.newest == place.epoch || shard.older.contains(place.epoch)) continue;
    shard.older.insert(shard.newest);
    shard.newest = place.epoch;
  }
  Pattern put{*std::move(pattern), std::move(after)};
  return &known.patterns.insert_or_assign(std::string{text}, std::move(put)).first->second;
}

/// Numbers of another epoch than the shard's newest mean nothing to who begins in that one.
void HistoryChecker::note_seq(std::string_view name, std::string_view topic, Record& known, const Position& position,
                              const SeenInShard& seen) {
  const auto& told = observer(name).shards;
  const auto epoch = told.find(seen.shard);
  if (epoch == told.end() || epoch->second != shards_[std::string{seen.shard}].newest) return;
  topics_[std::string{topic}].shard = seen.shard;
  if (known.numbered != epoch->second) {
    known.numbered = epoch->second;
    known.seqs.clear();
  }
  if (known.seqs.size() < position.offset) known.seqs.resize(position.offset);
  auto& seq = known.seqs[position.offset - 1];
  if (seq == 0) seq = seen.seq;
  if (seq != seen.seq) {
    violated(name, topic, fmt::format("at {} others saw {} as its number in the shard", position.offset, seq));
  }
}

void HistoryChecker::subscribed_pattern(std::string_view name, std::string_view text, ShardPositions places) {
  const auto* put = put_pattern(name, text, std::move(places));
  if (put == nullptr) return;
  if (const auto found = observer(name).left_patterns.find(text); found != observer(name).left_patterns.end()) {
    observer(name).left_patterns.erase(found);
  }
  std::erase_if(observer(name).left, [&](const auto& entry) { return covers(put->pattern, entry.first); });
}

void HistoryChecker::recovered_pattern(std::string_view name, std::string_view text, ShardPositions from) {
  ++figures_.recoveries;
  auto& known = observer(name);
  if (const auto begun = known.left_patterns.find(text); begun != known.left_patterns.end()) lower(from, begun->second);
  const auto* put = put_pattern(name, text, std::move(from));
  if (put == nullptr) return;
  std::erase_if(known.left, [&](const auto& entry) {
    if (!covers(put->pattern, entry.first)) return false;
    auto& stream = known.streams[entry.first];
    if (stream.active) return true;
    stream.epoch = entry.second.epoch;
    stream.last = entry.second.last;
    stream.restarted = entry.second.restarted;
    stream.active = true;
    return true;
  });
  for (auto& [topic, stream] : known.streams) {
    if (stream.active && covers(put->pattern, topic)) stream.repeats = true;
  }
}

void HistoryChecker::restarted_pattern(std::string_view name, std::string_view text, ShardPositions places) {
  const auto* put = put_pattern(name, text, std::move(places));
  if (put == nullptr) return;
  for (auto& [topic, stream] : observer(name).streams) {
    if (stream.active && !stream.by_name && covers(put->pattern, topic)) stream.restarted = put->after;
  }
}

/// Gives whether it was one.
bool HistoryChecker::end_pattern(std::string_view name, std::string_view text) {
  auto& known = observer(name);
  if (const auto begun = known.left_patterns.find(text); begun != known.left_patterns.end())
    known.left_patterns.erase(begun);
  const auto found = known.patterns.find(text);
  if (found == known.patterns.end()) return false;
  known.patterns.erase(found);
  for (auto& [topic, stream] : known.streams) {
    if (!stream.active || stream.by_name || place_of(known, topic)) continue;
    settle(name, topic, stream);
    stream = {};
  }
  return true;
}

void HistoryChecker::begin(std::string_view name, std::string_view topic, Stream& stream, std::string_view epoch,
                           Offset first, ShardPositions after) {
  stream.epoch = epoch;
  stream.first = first;
  stream.last = first - 1;
  stream.active = true;
  if (first <= 1) return;
  Begin begin{.epoch = stream.epoch, .first = first, .after = std::move(after)};
  const auto missing = missing_before(topic, begin);
  if (missing.count > 0 && stream.left_out == 0) return judge(name, topic, begin);
  if (missing.count > 0 || !missing.all_known) stream.begin = std::move(begin);
}

HistoryChecker::Missing HistoryChecker::missing_before(std::string_view topic, const Begin& begin) const {
  Missing missing;
  const auto known = topics_.find(topic);
  if (known == topics_.end() || known->second.shard.empty()) return {.all_known = false};
  const auto place = begin.after.find(known->second.shard);
  const auto record = known->second.epochs.find(begin.epoch);
  if (place == begin.after.end() || record == known->second.epochs.end()) return missing;
  if (record->second.numbered != place->second.epoch) return {.all_known = false};
  const auto& seqs = record->second.seqs;
  for (Offset offset = begin.first - 1; offset > 0; --offset) {
    const auto seq = offset <= seqs.size() ? seqs[offset - 1] : 0;
    if (seq == 0) {
      missing.all_known = false;
      continue;
    }
    if (seq <= place->second.offset) break;
    if (std::ranges::find(begin.own, offset) != begin.own.end()) continue;
    if (missing.count++ == 0) missing.last = offset;
    missing.first = offset;
  }
  return missing;
}

void HistoryChecker::judge(std::string_view name, std::string_view topic, const Begin& begin) {
  const auto missing = missing_before(topic, begin);
  if (missing.count <= begin.left_out) return;
  violated(name, topic, fmt::format("{}..{} never came and were not told", missing.first, missing.last));
}

void HistoryChecker::follow_seq(std::string_view name, std::string_view topic, const SeenInShard& seen) {
  if (seen.shard.empty()) return;
  auto& last = observer(name).seqs[std::string{seen.shard}];
  if (seen.seq <= last) {
    violated(name, topic, fmt::format("in shard {} came {} after {}", seen.shard, seen.seq, last));
  }
  last = std::max(last, seen.seq);
}

/// Topics of which nothing has come at all, though a pattern covers them.
void HistoryChecker::finish_patterns(const std::string& name, const Observer& observer) {
  if (observer.patterns.empty()) return;
  for (const auto& [topic, known] : topics_) {
    const auto found = observer.streams.find(topic);
    const auto* stream = found == observer.streams.end() ? nullptr : &found->second;
    if (stream != nullptr && stream->active && !stream->restarted) continue;
    auto after = place_of(observer, topic);
    if (!after) continue;
    const auto top = known.epochs.find(known.newest)->second.top;
    const bool goes_on = stream != nullptr && stream->active && stream->epoch == known.newest && stream->last >= top;
    const auto left_out = stream == nullptr ? 0 : stream->left_out;
    if (!goes_on) judge(name, topic, {known.newest, top + 1, *std::move(after), {}, left_out});
  }
}

}  // namespace troupe::realtime
