// PresenceActor: reports in, rounds out, and the way back after a loss.
#include "troupe/realtime/topic/presence_actor.h"

#include <algorithm>
#include <span>

#include "troupe/realtime/protocol/answer.h"

namespace troupe::realtime {

namespace {

constexpr std::size_t users_in_frame_max = 500;  // some 10 KB; a topic that fills at once is told in several frames

// One change as frames of bounded size.
std::vector<base::Bytes> frames_of(const PresenceChange& change) {
  std::vector<base::Bytes> frames;
  auto joined = std::span{change.joined};
  auto left = std::span{change.left};
  while (!joined.empty() || !left.empty()) {
    auto now_left = left.first(std::min(left.size(), users_in_frame_max));
    auto now_joined = joined.first(std::min(joined.size(), users_in_frame_max - now_left.size()));
    frames.push_back(finished(PresenceChanged{change.topic, now_joined, now_left}));
    left = left.subspan(now_left.size());
    joined = joined.subspan(now_joined.size());
  }
  return frames;
}

}  // namespace

PresenceActor::PresenceActor(PresenceOptions options, CoreIndex index,
                             actor::Ref<actor::Protocol<PresenceStarted>> owner)
    : options_(options), index_(index), owner_(owner) {
  presence_.begin_rebuild();
}

void PresenceActor::started(actor::Context&) { owner_.tell(PresenceStarted{index_}); }

void PresenceActor::handle(JoinPresence message, actor::Context& ctx) {
  const bool lost = message.tables == PresenceTables::lost;
  keepers_.clear();
  watchers_.clear();
  for (auto keeper : message.keepers) keepers_.push_back({keeper, 0, 0, lost});
  for (auto watcher : message.watchers) watchers_.push_back({watcher, lost});
  early_.resize(keepers_.size());
  for (std::size_t core = 0; core < keepers_.size(); ++core) keepers_[core].seen = early_[core];
  if (!lost) return end_rebuild(ctx);
  for (auto& keeper : keepers_) keeper.ref.tell(RepeatPresence{index_});
  for (auto& watcher : watchers_) watcher.ref.tell(RepeatPresence{index_});
}

void PresenceActor::handle(const ReportPresence& message, actor::Context& ctx) {
  if (message.core >= PresenceTable::cores_max) throw PresenceCorrupted{"a report of a core that there is not"};
  for (const auto& topic : message.left) presence_.left(topic.text(), message.user, message.core);
  for (const auto& topic : message.came) presence_.came(topic.text(), message.user, message.core);
  note(message.core, message.number);
  arm(ctx);
}

void PresenceActor::handle(const WatchPresence& message) { presence_.watch(message.topic.text(), message.core); }

void PresenceActor::handle(const UnwatchPresence& message) { presence_.unwatch(message.topic.text(), message.core); }

void PresenceActor::handle(const PresenceRepeated& message, actor::Context& ctx) {
  for (const auto& [topic, user] : message.left) presence_.left(topic.text(), user, message.core);
  for (const auto& [topic, user] : message.present) presence_.came(topic.text(), user, message.core);
  note(message.core, message.number);
  if (message.core >= keepers_.size()) return;  // of an answer to who was here before; ours will come
  keepers_[message.core].awaited = false;
  end_rebuild(ctx);
}

void PresenceActor::handle(const WatchesRepeated& message, actor::Context& ctx) {
  for (const auto& topic : message.topics) presence_.watch(topic.text(), message.core);
  if (message.core >= watchers_.size()) return;
  watchers_[message.core].awaited = false;
  end_rebuild(ctx);
}

void PresenceActor::handle(PresenceDelivered, actor::Context& ctx) {
  // An answer to who was here before may come, too.
  if (behind_ > 0) --behind_;
  arm(ctx);
}

std::expected<PresencePage, PresenceError> PresenceActor::handle(const ReadPresence& message) {
  if (!is_ready()) return std::unexpected(PresenceError::rebuilding);
  return presence_.page(message.topic.text(), message.limit, message.after);
}

void PresenceActor::handle(Tell, actor::Context&) {
  armed_ = false;
  if (!is_ready() || behind_ > 0) return;  // what that waits for arms again
  tell_changes();
  tell_keepers();
}

bool PresenceActor::is_ready() const noexcept {
  return !keepers_.empty() && std::ranges::none_of(keepers_, &Keeper::awaited) &&
         std::ranges::none_of(watchers_, &Watcher::awaited);
}

bool PresenceActor::has_news() const noexcept {
  return presence_.has_changes() || std::ranges::any_of(keepers_, [](const Keeper& k) { return k.seen > k.told; });
}

void PresenceActor::note(CoreIndex core, ReportNumber number) {
  if (core >= early_.size()) early_.resize(core + 1);
  early_[core] = number;
  if (core < keepers_.size()) keepers_[core].seen = number;
}

void PresenceActor::end_rebuild(actor::Context& ctx) {
  if (!is_ready()) return;
  presence_.end_rebuild();
  arm(ctx);
}

// One timer, which only runs while there is something to tell.
void PresenceActor::arm(actor::Context& ctx) {
  if (armed_ || behind_ > 0 || !is_ready() || !has_news()) return;
  armed_ = true;
  ctx.after(this, "tell", options_.interval, Tell{});
}

void PresenceActor::tell_changes() {
  std::vector<DeliverPresence> round(watchers_.size(), DeliverPresence{index_, {}});
  for (const auto& change : presence_.take_changes()) {
    changes_ += change.joined.size() + change.left.size();
    for (const auto& frame : frames_of(change)) {
      for (auto core : change.cores) round[core].frames.emplace_back(change.topic, frame);
    }
  }
  for (std::size_t core = 0; core < round.size(); ++core) {
    if (round[core].frames.empty()) continue;
    ++behind_;
    watchers_[core].ref.tell(std::move(round[core]));
  }
}

// What was handed over arrives, whatever becomes of us.
void PresenceActor::tell_keepers() {
  for (auto& keeper : keepers_) {
    if (keeper.seen == keeper.told) continue;
    keeper.told = keeper.seen;
    keeper.ref.tell(PresenceTold{index_, keeper.told});
  }
}

PresenceFigures PresenceActor::handle(const MeasurePresence&) const {
  return {presence_.topics(), presence_.users(), changes_};
}

void PresenceActor::inspect(actor::Inspection& out) const {
  out.add("topics", presence_.topics());
  out.add("users", presence_.users());
  out.add("changes", changes_);
  out.add("cores_behind", behind_);
}

}  // namespace troupe::realtime
