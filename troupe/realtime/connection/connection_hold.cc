// Connection: what waits while a subscription is being made, and what goes out once it is: what was missed, then what
// is live.
#include <algorithm>
#include <map>
#include <set>

#include "troupe/base/check.h"
#include "troupe/realtime/connection/connection.h"
#include "troupe/realtime/topic/topic_shard.h"

namespace troupe::realtime {

void Connection::hold(std::vector<TopicPattern> topics) {
  INVARIANT(command_->held.empty(), "a command holds once");
  make_rare().held.hold(topics, live_patterns_but(topics), held_limits());
  const bool knows_none = rare().lost != nullptr;
  command_->begun.clear();
  for (const auto& topic : topics) {
    if (!topic.is_name() && (knows_none || !session_.subscriptions.contains(topic))) command_->begun.insert(topic);
  }
  command_->held = std::move(topics);
}

std::optional<Position> Connection::place_in(const std::string& topic) const {
  if (const auto* spilled = find_spilled(topic)) return spilled->after;
  const auto first = rare().held.first_of(topic);
  return first ? std::optional{Position{first->epoch, first->offset - 1}} : std::nullopt;
}

// A message may have been on its way to another connection of this core before the home knew of the pattern: it comes
// before the place that is confirmed, and what follows it up to there may not have come. Where the pattern was there
// before, all of it has come, and is owed.
void Connection::release(const TopicPositions& last, const ShardSeqs& begins) {
  const auto topics = std::exchange(command_->held, {});
  if (state_ >= State::closing) return;
  auto held = make_rare().held.release(topics, last);
  const auto comes_before = [&](const StreamPlace& place) {
    const auto begin = begins.find(shard_name(place.shard));
    return begin != begins.end() && place.seq > 0 && place.seq <= begin->second;
  };
  std::map<std::string, bool> owed;  // by topic
  const auto is_owed = [&](const std::string& topic) {
    const auto [known, fresh] = owed.try_emplace(topic);
    if (fresh) known->second = has_other(topic, command_->begun);
    return known->second;
  };
  held.messages.erase_if(
      [&](const HeldMessage& message) { return comes_before(message.frame->place) && !is_owed(message.frame->topic); });
  let_go(std::move(held));
}

// Whether a topic lies in another subscription than the patterns that have just begun.
bool Connection::has_other(const std::string& topic, const std::set<TopicPattern>& begun) const {
  const auto name = TopicName::parse(topic);
  if (!name || topic.starts_with('$')) return true;  // an inbox
  return session_.subscriptions.any_key(
      [&](const TopicPattern& one) { return one.matches(*name) && !begun.contains(one); });
}

void Connection::discard() {
  const auto topics = std::exchange(command_->held, {});
  if (state_ < State::closing) let_go(make_rare().held.discard(topics));
}

void Connection::call_off() {
  const auto topics = std::exchange(command_->held, {});
  if (state_ >= State::closing) return;
  auto held = make_rare().held.release(topics, {});
  held.messages.erase_if([&](const HeldMessage& message) {
    if (message.frame->topic.starts_with('$')) return false;  // of the inbox
    const auto name = TopicName::parse(message.frame->topic);
    return !name || !session_.subscriptions.any_key([&](const TopicPattern& one) { return one.matches(*name); });
  });
  let_go(std::move(held));
}

/// None where no pattern is among these: what waits for a name is known to hold up the place of patterns.
std::vector<TopicPattern> Connection::live_patterns_but(const std::vector<TopicPattern>& topics) const {
  std::vector<TopicPattern> live;
  if (std::ranges::all_of(topics, &TopicPattern::is_name)) return live;
  const std::set<TopicPattern> these{topics.begin(), topics.end()};
  session_.subscriptions.for_each([&](const TopicPattern& one, const SubscriptionOptions&) {
    if (!one.is_name() && !these.contains(one)) live.push_back(one);
  });
  return live;
}

HeldLimits Connection::held_limits() const noexcept {
  return {site_->options.outbox.messages_max, site_->options.outbox.bytes_max};
}

// A topic that is behind stays so, and what was recovered of it is read with the rest: from further back, where that
// begins there. So it is with all that a pattern brings while any topic is behind: its place must not pass what is
// still to be read.
void Connection::recover(const std::vector<RecoveredMessage>& messages) {
  if (state_ >= State::closing) return;
  for (auto one = messages.begin(); one != messages.end();) {
    const auto& [topic, epoch, first, came, home] = *one;
    if (auto* spilled = find_spilled(topic)) {
      const bool is_old = epoch == spilled->after.epoch && first.offset <= spilled->top;
      if (!is_old) pushed(stay_behind(topic, *spilled, epoch, first.offset, first.offset));
      if (is_old && first.offset <= spilled->after.offset) rare_->spilled.begin_earlier(*spilled, first.offset - 1);
      ++one;
    } else if (came == Came::by_pattern && is_behind()) {
      pushed(spill(topic, {epoch, first.offset - 1}, first.offset));
      ++one;
    } else {
      std::vector<KeptMessage> run;
      for (; one != messages.end() && one->topic == topic; ++one) {
        run.push_back(one->message);
        if (one->came == Came::by_pattern)
          run.back().message.frame = with_shard(one->message.message, {shard_name(one->home), one->message.seq});
      }
      push_recovered(topic, epoch, run);
    }
    if (state_ >= State::closing) return;
  }
  take_turn();
}

// What the connection may not see becomes one frame for each range of it: it is part of what is recovered, like the
// messages beside it, and no open gap.
void Connection::push_recovered(const std::string& topic, const Epoch& epoch,
                                const std::vector<KeptMessage>& messages) {
  auto is_hidden = [&](const KeptMessage& message) { return message.target && !has_scope(*message.target); };
  for (auto message = messages.begin(); message != messages.end(); ++message) {
    Position position{epoch, message->offset};
    if (!is_hidden(*message)) {
      open_outbox().push_recovered(FrameRef::message(message->message.frame, topic, std::move(position)));
      continue;
    }
    while (std::next(message) != messages.end() && is_hidden(*std::next(message))) ++message;
    ++site_->figures.outbox.told(GapReason::filtered);
    auto told = finished(Gap{topic, epoch.value(), position.offset, message->offset, GapReason::filtered});
    open_outbox().push_recovered(FrameRef::message(std::move(told), topic, {epoch, message->offset}));
  }
}

void Connection::let_go(HeldTopics::Released held) {
  if (held.overrun) return close_slow();
  while (!held.messages.empty() && state_ < State::closing) {
    const auto message = held.messages.pop_front();
    const auto& [topic, position] = std::tie(message.frame->topic, message.frame->position);
    if (message.frame->bytes.size() > 0) {
      const auto result = push(message.frame, message.overflow);
      if (result == Outbox::Pushed::over) felt().over.back().is_awaited = false;
      pushed(result);
    } else if (message.missed_to > 0) {
      tell_missed(topic, position.epoch, position.offset, message.missed_to, message.overflow);
    } else {
      tell_withheld(topic, position);
    }
  }
}

}  // namespace troupe::realtime
