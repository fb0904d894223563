// TopicShard: find or make the topic, number, encode, keep; and the bounds over all topics together.
#include "troupe/realtime/topic/topic_shard.h"

#include <fmt/format.h>

#include <algorithm>

#include "troupe/base/check.h"
#include "troupe/realtime/protocol/random_id.h"

namespace troupe::realtime {

std::string shard_name(CoreIndex core) { return fmt::format("{}", core); }

Epoch make_epoch(base::Random& random) {
  constexpr std::size_t characters = 11;  // 66 bits
  return Epoch{random_id(characters, random)};
}

TopicShard::TopicShard(TopicOptions options, SettingsPtr settings, std::string name, base::Random& random)
    : options_(options), settings_(std::move(settings)), name_(std::move(name)), top_{make_epoch(random), 0} {
  by_namespace_.use(*settings_);
}

std::expected<Publication, PublishError> TopicShard::publish(const PublishMessage& wanted, const Moment& moment) {
  const auto& publication = wanted.publication;
  Topic* topic = find_or_make(publication.topic, moment);
  if (topic == nullptr) return std::unexpected(PublishError::overloaded);
  if (topic->history.is_full()) change(*topic, [&](History& history) { history.restart(make_epoch(moment.random)); });
  ++top_.offset;
  Position position{topic->history.top().epoch, topic->history.top().offset + 1};
  MessageParts parts{topic->name.text(), position, wanted.publisher.user, moment.wall, publication.payload};
  auto message = encode_message(parts);

  Publication result{publication.topic, position, top_.offset, message.frame, {}, {}};
  bool by_pattern = false;
  for (const auto& match : interest_.match(publication.topic)) {
    result.cores.push_back(match.subscriber);
    by_pattern |= match.via == base::SubscriptionTrie::Via::pattern;
  }
  if (by_pattern) result.frame_by_pattern = encode_message_by_pattern(parts, {name_, top_.offset});
  change(*topic, [&](History& history) {
    history.append(top_.offset, moment.wall, moment.now, std::move(message), wanted.target);
  });
  published_.splice(published_.end(), published_, topic->published);
  while (history_bytes_ > options_.history_bytes_max) {
    change(*keeping_.front(), [](History& history) { history.drop_oldest(); });
  }
  return result;
}

OpenedTopic TopicShard::open(const OpenTopics::Topic& wanted, const Moment& moment, RecoveryAllowance& allowance) {
  if (!wanted.pattern.is_name()) return open_pattern(wanted, moment.now, allowance);
  OpenedTopic opened{wanted.index, {}, false, {}};
  Topic* topic = find_or_make(TopicName::parse(wanted.pattern.text()).value(), moment);
  if (topic == nullptr) return opened;  // no room to remember it: its first publication will bring an epoch
  change(*topic, [&](History& history) { history.expire(moment.now); });
  opened.top = topic->history.top();
  if (!wanted.recover) return opened;
  auto messages = topic->history.recover(*wanted.recover);
  opened.recovered = messages.has_value();
  if (!messages) return opened;
  for (auto& message : *messages) {
    opened.messages.push_back({topic->name.text(), opened.top.epoch, std::move(message)});
  }
  return opened;
}

OpenedTopic TopicShard::open_pattern(const OpenTopics::Topic& wanted, base::Instant now, RecoveryAllowance& allowance) {
  OpenedTopic opened{wanted.index, top_, false, {}};
  if (!wanted.recover) return opened;
  auto messages = recover(wanted.pattern, *wanted.recover, now, allowance);
  opened.recovered = messages.has_value();
  if (messages) opened.messages = *std::move(messages);
  return opened;
}

OpenedTopic TopicShard::go_on(const OpenTopics::Topic& wanted, std::optional<std::uint64_t> seq, const Moment& moment,
                              RecoveryAllowance& allowance) {
  const auto after = seq.value_or(0);
  OpenedTopic opened{wanted.index, {top_.epoch, after}, false, {}};
  if (!wanted.pattern.is_name()) {
    auto messages = recover(wanted.pattern, opened.top, moment.now, allowance);
    opened.recovered = seq && messages;
    if (messages) {
      opened.messages = *std::move(messages);
    } else {
      opened.top = top_;
    }
    return opened;
  }
  Topic* topic = find_or_make(TopicName::parse(wanted.pattern.text()).value(), moment);
  if (topic == nullptr) {
    opened.top = {};
    return opened;
  }
  change(*topic, [&](History& history) { history.expire(moment.now); });
  const auto& history = topic->history;
  opened.recovered = seq && history.dropped_seq() <= after && forgotten_seq_ <= after;
  for (auto& message : history.after_seq(after)) {
    opened.messages.push_back({topic->name.text(), history.top().epoch, std::move(message)});
  }
  opened.top = history.top();
  opened.top.offset -= opened.messages.size();  // what is kept reaches up to the top
  return opened;
}

// All publications after `from` to the topics of a pattern, in their order; nothing if one of them is gone, if nobody
// knows whether it is, or if it would take more than is allowed.
std::optional<std::vector<RecoveredMessage>> TopicShard::recover(const TopicPattern& pattern, const Position& from,
                                                                 base::Instant now, RecoveryAllowance& allowance) {
  if (from.epoch != top_.epoch || from.offset > top_.offset || from.offset < forgotten_seq_) return std::nullopt;
  std::vector<RecoveredMessage> found;
  for (auto place = published_.rbegin(); place != published_.rend(); ++place) {
    Topic& topic = **place;
    if (topic.history.last_seq() <= from.offset) break;
    if (allowance.topics == 0) return std::nullopt;
    --allowance.topics;
    if (!pattern.matches(topic.name)) continue;
    change(topic, [&](History& history) { history.expire(now); });
    if (topic.history.dropped_seq() > from.offset) return std::nullopt;
    for (auto& message : topic.history.after_seq(from.offset)) {
      auto bytes = message.message.frame.size();
      if (allowance.messages == 0 || allowance.bytes < bytes) return std::nullopt;
      --allowance.messages;
      allowance.bytes -= bytes;
      found.push_back({topic.name.text(), topic.history.top().epoch, std::move(message), Came::by_pattern});
    }
  }
  std::ranges::sort(found, {}, [](const RecoveredMessage& one) { return one.message.seq; });
  for (auto& [topic, epoch, kept, came] : found) kept.message.frame = with_shard(kept.message, {name_, kept.seq});
  return found;
}

HistoryPage TopicShard::read(const ReadHistory& request, base::Instant now) {
  Topic* topic = find(request.topic.text());
  if (topic == nullptr) return {{}, request.direction == Direction::newest, {}};
  change(*topic, [&](History& history) { history.expire(now); });
  switch (request.direction) {
    case Direction::newest:
      return topic->history.newest(request.limit);
    case Direction::since:
      return topic->history.since(request.position, request.limit);
    case Direction::before:
      return topic->history.before(request.position, request.limit);
  }
  return {};
}

// The heap has the last of those that are wanted on top, so that no more than a page is held at any time.
TopicsPage TopicShard::list(const ListTopics& request, base::Instant now) {
  std::vector<Topic*> page;
  const auto by_name = [](const Topic* a, const Topic* b) { return a->name < b->name; };
  bool more = false;
  for (Topic* topic : published_) {
    if (topic->name.text() <= request.after || !request.pattern.matches(topic->name)) continue;
    page.push_back(topic);
    std::ranges::push_heap(page, by_name);
    if (page.size() <= request.limit) continue;
    std::ranges::pop_heap(page, by_name);
    page.pop_back();
    more = true;
  }
  std::ranges::sort_heap(page, by_name);
  TopicsPage listed{{}, more};
  for (Topic* topic : page) {
    change(*topic, [&](History& history) { history.expire(now); });
    listed.topics.push_back({topic->name.text(), topic->history.top(), topic->history.count()});
  }
  return listed;
}

void TopicShard::add_interest(CoreIndex core, const TopicPattern& pattern) {
  auto [place, fresh] = interest_ids_.try_emplace({core, pattern});
  if (fresh) place->second = interest_.add(pattern, core).id;
}

void TopicShard::drop_interest(CoreIndex core, const TopicPattern& pattern) {
  auto place = interest_ids_.find({core, pattern});
  if (place == interest_ids_.end()) return;
  interest_.remove(place->second, pattern);
  interest_ids_.erase(place);
}

void TopicShard::drop_all_interest(CoreIndex core) {
  std::erase_if(interest_ids_, [&](const auto& entry) {
    const auto& [key, id] = entry;
    if (key.first != core) return false;
    interest_.remove(id, key.second);
    return true;
  });
}

void TopicShard::expire(base::Instant now) {
  while (!due_.empty() && due_.begin()->first.first <= now) {
    Topic& topic = *due_.begin()->second;
    set_due(topic, base::Instant::never());
    change(topic, [&](History& history) { history.expire(now); });
  }
}

void TopicShard::use(SettingsPtr settings, base::Instant now) {
  settings_ = std::move(settings);
  by_namespace_.use(*settings_);
  // By their last use, so that those which lose their messages now stand in that order among the empty.
  std::vector<Topic*> all{keeping_.begin(), keeping_.end()};
  all.insert(all.end(), empty_.begin(), empty_.end());
  for (Topic* topic : all) {
    *topic->bytes_of_namespace -= topic->history.bytes();
    topic->bytes_of_namespace = &by_namespace_.of(topic->name.text());
    *topic->bytes_of_namespace += topic->history.bytes();
    set_due(*topic, base::Instant::never());  // what is kept for less time now is due earlier
    change(*topic, [&](History& history) { history.use(settings_->of(topic->name).history, now); });
  }
}

TopicShard::Topic* TopicShard::find(const std::string& name) {
  auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second.get();
}

TopicShard::Topic* TopicShard::find_or_make(const TopicName& name, const Moment& moment) {
  if (Topic* topic = find(name.text())) {
    auto& list = list_of(*topic);
    list.splice(list.end(), list, topic->place);
    return topic;
  }
  if (topics_.size() >= options_.topics_max && !make_room()) return nullptr;
  auto made = std::make_unique<Topic>(
      Topic{name, ++made_, History{make_epoch(moment.random), settings_->of(name).history}, {}, {}});
  Topic* topic = made.get();
  topic->bytes_of_namespace = &by_namespace_.of(name.text());
  topic->place = empty_.insert(empty_.end(), topic);
  topic->published = published_.insert(published_.begin(), topic);
  topics_.emplace(name.text(), std::move(made));
  return topic;
}

// Forgets the longest unused topic that keeps nothing and has no subscriber: to those a new epoch would be a loss.
bool TopicShard::make_room() {
  constexpr int looks_max = 64;  // of many with subscribers a few are looked at each time
  for (int looked = 0; !empty_.empty() && !interest_.match(empty_.front()->name).empty(); ++looked) {
    if (looked == looks_max) return false;
    empty_.splice(empty_.end(), empty_, empty_.begin());
  }
  if (empty_.empty()) return false;
  Topic* forgotten = empty_.front();
  empty_.pop_front();
  set_due(*forgotten, base::Instant::never());
  forgotten_seq_ = std::max(forgotten_seq_, forgotten->history.last_seq());
  published_.erase(forgotten->published);
  topics_.erase(topics_.find(forgotten->name.text()));
  return true;
}

void TopicShard::set_due(Topic& topic, base::Instant due) {
  if (topic.due != base::Instant::never()) due_.erase({topic.due, topic.number});
  topic.due = due;
  if (due != base::Instant::never()) due_.try_emplace({due, topic.number}, &topic);
}

// Keeps the sum of bytes and the lists true whatever is done to a history. The time at which expire() looks at a topic
// may be too early, for messages that go before it leave it as it is.
template <class Change>
void TopicShard::change(Topic& topic, Change&& change) {
  const auto before = topic.history.bytes();
  change(topic.history);
  const auto more = topic.history.bytes() - before;  // modulo 2^64, so that it may be less
  history_bytes_ += more;
  *topic.bytes_of_namespace += more;
  bool keeps = topic.history.count() > 0;
  if (keeps && topic.due == base::Instant::never()) set_due(topic, topic.history.expires_at());
  if (keeps == topic.keeps) return;
  auto& from = list_of(topic);
  topic.keeps = keeps;
  auto& to = list_of(topic);
  to.splice(to.end(), from, topic.place);
}

}  // namespace troupe::realtime
