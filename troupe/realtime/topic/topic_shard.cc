// TopicShard: find or make the topic, number, encode, keep; and the bounds over all topics together.
#include "troupe/realtime/topic/topic_shard.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "troupe/base/check.h"
#include "troupe/realtime/protocol/random_id.h"

namespace troupe::realtime {

bool RecoveryAllowance::take(std::span<const KeptMessage> wanted) noexcept {
  std::size_t wanted_bytes = 0;
  for (const auto& message : wanted) wanted_bytes += message.message.frame.size();
  if (wanted.size() > messages || wanted_bytes > bytes) return false;
  messages -= wanted.size();
  bytes -= wanted_bytes;
  return true;
}

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
  const auto& publication = *wanted.publication;
  Topic* topic = find(publication.topic.text());
  // Before a topic is made, for which another might have to go.
  const auto& user = wanted.publisher.user;
  const bool begins = topic == nullptr || !topic->has_beginner;
  if (begins && has_all_topics(user) && !make_room_for(user)) return std::unexpected(PublishError::too_many_topics);
  topic = topic != nullptr ? use_again(*topic) : make(publication.topic, moment);
  if (topic == nullptr) return std::unexpected(PublishError::overloaded);
  if (topic->history.is_full() || topic->is_durable) {
    topic->is_durable = false;  // its namespace is durable no more: what follows is of another epoch
    change(*topic, [&](History& history) { history.restart(make_epoch(moment.random)); });
  }
  ++top_.offset;
  const auto& top = topic->history.top();
  std::expected<Publication, PublishError> result{std::in_place, publication.topic, Position{top.epoch, top.offset + 1},
                                                  top_.offset,   base::Bytes{},     base::Bytes{},
                                                  CoreSet{}};
  const MessageParts parts{topic->name.text(), result->position, user, moment.wall, publication.payload};
  auto message = encode_message(parts);
  result->frame = message.frame;
  if (find_cores(*result)) result->frame_by_pattern = encode_message_by_pattern(parts, {name_, top_.offset});
  const bool kept_before = topic->keeps;
  keep(*topic, moment.wall, moment.now, std::move(message), wanted.target);
  if (!kept_before && (topic->keeps || !topic->has_beginner)) begin_for(user, *topic);
  return result;
}

bool TopicShard::has_all_topics(const UserId& user) const {
  const auto found = by_user_.find(user);
  return found != by_user_.end() && found->second.topics >= options_.by_user_max;
}

// One that somebody else has begun stays with him where this user may have no more.
void TopicShard::begin_for(const UserId& user, Topic& topic) {
  if (topic.has_beginner && (topic.beginner->first == user || has_all_topics(user))) return;
  end_beginning(topic);
  topic.beginner = by_user_.try_emplace(user).first;
  topic.has_beginner = true;
  auto& begun = topic.beginner->second;
  ++begun.topics;
  if (!topic.keeps) topic.idle = begun.idle.insert(begun.idle.end(), &topic);
}

void TopicShard::end_beginning(Topic& topic) {
  if (!std::exchange(topic.has_beginner, false)) return;
  auto& begun = topic.beginner->second;
  if (!topic.keeps) begun.idle.erase(topic.idle);
  if (--begun.topics == 0) by_user_.erase(topic.beginner);
}

// Forgets one that the user has begun and that is missed little. To let it stay as nobody's would give a user more than
// his part, once he subscribes to it.
bool TopicShard::make_room_for(const UserId& user) {
  auto [topic, missed_by] = least_missed(by_user_.at(user).idle);
  if (missed_by >= MissedBy::named_readers) return false;
  forget(*topic);
  return true;
}

// Gives whether anybody came by a pattern.
bool TopicShard::find_cores(Publication& publication) {
  bool by_pattern = false;
  for (const auto& match : interest_.match(publication.topic)) {
    publication.cores.insert(match.subscriber);
    by_pattern |= match.via == base::SubscriptionTrie::Via::pattern;
  }
  return by_pattern;
}

// As the newest of this shard. The message was encoded with the offset after the topic's top.
void TopicShard::keep(Topic& topic, base::UnixTime sent_at, base::Instant now, EncodedMessage message,
                      TargetScope target) {
  change(topic,
         [&](History& history) { history.append(top_.offset, sent_at, now, std::move(message), std::move(target)); });
  published_.splice(published_.end(), published_, topic.published);
  while (history_bytes_ > options_.history_bytes_max) relieve();
}

// What is on the disk need not be in memory too.
void TopicShard::relieve() {
  Topic& oldest = *keeping_.front();
  if (oldest.is_durable && oldest.writes == 0) return forget(oldest);
  change(oldest, [](History& history) { history.drop_oldest(); });
}

// ---- durable topics ----

bool TopicShard::has_loaded(const TopicName& topic) const {
  auto found = topics_.find(topic.text());
  return found != topics_.end() && found->second->is_durable;
}

std::optional<std::vector<Publication>> TopicShard::load(const TopicLoaded& loaded, const Moment& moment) {
  Topic* topic = find_or_make(loaded.topic, moment);
  if (topic == nullptr) return std::nullopt;
  const auto& top = *loaded.top;
  std::vector<Publication> unknown;
  if (!topic->is_durable || topic->history.top().epoch != top.epoch) {
    read_anew(*topic, loaded, moment);
    return unknown;
  }
  const auto writes = topic->writes++;  // lest it is forgotten here
  for (const auto& one : loaded.messages) {
    if (one.offset == topic->history.top().offset + 1) unknown.push_back(deliver(*topic, one, moment));
  }
  if (topic->history.top().offset < top.offset) read_anew(*topic, loaded, moment);  // there is a hole
  topic->writes = writes;
  return unknown;
}

// Messages keep their age. They have no number in this shard's stream, for they are of an earlier one.
void TopicShard::read_anew(Topic& topic, const TopicLoaded& loaded, const Moment& moment) {
  topic.is_durable = true;
  topic.trimmed = 0;
  ++topic.writes;
  change(topic, [&](History& history) {
    history.restart(loaded.top->epoch, loaded.top->offset - loaded.messages.size());
    for (const auto& one : loaded.messages) {
      const auto age = std::max(moment.wall - one.sent_at, base::Duration{});
      history.append(0, one.sent_at, moment.now - age, one.message, one.target);
    }
    history.expire(moment.now);
  });
  while (history_bytes_ > options_.history_bytes_max) relieve();
  --topic.writes;
}

void TopicShard::begin_write(const TopicName& topic) { ++topics_.at(topic.text())->writes; }

void TopicShard::end_write(const TopicName& topic) {
  if (Topic* found = find(topic.text()); found != nullptr && found->writes > 0) --found->writes;
}

std::optional<Publication> TopicShard::take(const Recorded& recorded, const Moment& moment) {
  Topic* topic = find(recorded.topic.text());
  if (topic == nullptr || !topic->is_durable) return std::nullopt;
  const auto& top = topic->history.top();
  if (top.epoch != recorded.epoch || top.offset + 1 != recorded.message.offset) return std::nullopt;
  return deliver(*use_again(*topic), recorded.message, moment);
}

Publication TopicShard::deliver(Topic& topic, const StoredMessage& stored, const Moment& moment) {
  ++top_.offset;
  const Position position{topic.history.top().epoch, stored.offset};
  Publication result{topic.name, position, top_.offset, stored.message.frame, {}, {}};
  if (find_cores(result)) result.frame_by_pattern = with_shard(stored.message, {name_, top_.offset});
  keep(topic, stored.sent_at, moment.now, stored.message, stored.target);
  return result;
}

std::vector<TrimTopic> TopicShard::take_trims(std::size_t count_max) {
  std::vector<TrimTopic> trims;
  while (!trimmable_.empty() && trims.size() < count_max) {
    Topic& topic = *trimmable_.begin()->second;
    trimmable_.erase(trimmable_.begin());
    topic.trims_at = 0;
    topic.trimmed = topic.history.oldest() - 1;
    trims.push_back({topic.name, topic.trimmed});
  }
  return trims;
}

void TopicShard::note_trims(Topic& topic) {
  if (topic.trims_at != 0 || topic.history.oldest() - 1 <= topic.trimmed) return;
  topic.trims_at = ++trims_;
  trimmable_.emplace(topic.trims_at, &topic);
}

// ---- opening and reading ----

OpenedTopic TopicShard::open(const OpenTopics::Topic& wanted, const Moment& moment, RecoveryAllowance& allowance) {
  if (!wanted.pattern.is_name()) return open_pattern(wanted, moment.now, allowance);
  OpenedTopic opened{wanted.index, {}, false, {}};
  Topic* topic = find_or_make(TopicName::parse(wanted.pattern.text()).value(), moment);
  if (topic == nullptr) return opened;  // no room to remember it: its first publication will bring an epoch
  change(*topic, [&](History& history) { history.expire(moment.now); });
  opened.top = topic->history.top();
  if (!wanted.recover) return opened;
  auto messages = topic->history.recover(*wanted.recover);
  opened.recovered = messages && allowance.take(*messages);
  if (!opened.recovered) return opened;
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
  if (!seq && topic->is_durable) {  // its offsets go on, and the client alone knows where it was
    opened.top = history.top();
    return opened;
  }
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
    auto messages = topic.history.after_seq(from.offset);
    if (!allowance.take(messages)) return std::nullopt;
    for (auto& message : messages) {
      found.push_back({topic.name.text(), topic.history.top().epoch, std::move(message), Came::by_pattern});
    }
  }
  std::ranges::sort(found, {}, [](const RecoveredMessage& one) { return one.message.seq; });
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
  Topic* topic = find(name.text());
  return topic != nullptr ? use_again(*topic) : make(name, moment);
}

// Of all in its lists it was used last.
TopicShard::Topic* TopicShard::use_again(Topic& topic) {
  auto& list = list_of(topic);
  list.splice(list.end(), list, topic.place);
  if (topic.has_beginner && !topic.keeps) {
    auto& idle = topic.beginner->second.idle;
    idle.splice(idle.end(), idle, topic.idle);
  }
  return &topic;
}

TopicShard::Topic* TopicShard::make(const TopicName& name, const Moment& moment) {
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

// The epoch of a durable topic lasts, so nobody misses it.
TopicShard::MissedBy TopicShard::missed_by(const Topic& topic) {
  if (topic.writes > 0) return MissedBy::named_readers;
  if (topic.is_durable || interest_.match(topic.name).empty()) return MissedBy::nobody;
  if (topic.history.top().offset == 0) return MissedBy::no_reader;
  const auto by_name = interest_.number_of(TopicPattern::parse(topic.name.text()).value());
  return by_name ? MissedBy::named_readers : MissedBy::pattern_readers;
}

// Of topics that keep nothing, the longest unused first; of many a few are looked at each time, and others the next.
std::pair<TopicShard::Topic*, TopicShard::MissedBy> TopicShard::least_missed(Recent& idle) {
  constexpr std::size_t looks_max = 64;
  std::pair<Topic*, MissedBy> least{nullptr, MissedBy::named_readers};
  for (auto looks = std::min(looks_max, idle.size()); looks > 0; --looks) {
    const auto missed = missed_by(*idle.front());
    if (missed < least.second) least = {idle.front(), missed};
    if (missed == MissedBy::nobody) break;
    idle.splice(idle.end(), idle, idle.begin());
  }
  return least;
}

// Of durable topics, whose epoch lasts, one that keeps messages goes before one that anybody misses.
bool TopicShard::make_room() {
  constexpr int looks_max = 64;
  auto [topic, missed_by] = least_missed(empty_);
  if (missed_by > MissedBy::no_reader) {
    auto some = keeping_ | std::views::take(looks_max);
    auto found = std::ranges::find_if(some, [](const Topic* one) { return one->is_durable && one->writes == 0; });
    if (found != some.end()) topic = *found;
  }
  if (topic == nullptr) return false;
  forget(*topic);
  return true;
}

void TopicShard::forget(Topic& topic) {
  end_beginning(topic);
  set_due(topic, base::Instant::never());
  forgotten_seq_ = std::max(forgotten_seq_, topic.history.last_seq());
  history_bytes_ -= topic.history.bytes();
  *topic.bytes_of_namespace -= topic.history.bytes();
  if (topic.is_durable) forgotten_.insert(topic.name);
  if (topic.trims_at != 0) trimmable_.erase(topic.trims_at);
  list_of(topic).erase(topic.place);
  published_.erase(topic.published);
  topics_.erase(topics_.find(topic.name.text()));
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
  if (topic.is_durable) note_trims(topic);
  bool keeps = topic.history.count() > 0;
  if (keeps && topic.due == base::Instant::never()) set_due(topic, topic.history.expires_at());
  if (keeps == topic.keeps) return;
  auto& from = list_of(topic);
  topic.keeps = keeps;
  auto& to = list_of(topic);
  to.splice(to.end(), from, topic.place);
  if (!topic.has_beginner) return;
  auto& idle = topic.beginner->second.idle;
  keeps ? void(idle.erase(topic.idle)) : void(topic.idle = idle.insert(idle.end(), &topic));
}

}  // namespace troupe::realtime
