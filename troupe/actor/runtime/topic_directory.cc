// See topic_directory.h. Subscribers that have moved stand in topic_directory_moves.cc.
#include "troupe/actor/runtime/topic_directory.h"

#include "troupe/actor/runtime/lifecycle.h"
#include "troupe/base/check.h"

namespace troupe::actor {
namespace {

/// Told to the core of a subscriber that has ended.
constexpr Handler forget_handler{
    .invoke = [](Core& core, Cell*,
                 Envelope& envelope) { core.host().topics().forget(core, envelope.message<Terminated>().who); },
    .destroy = destroy_message<Terminated>,
    .message = "the end of a subscriber",
    .message_class = MessageClass::control,
    .runtime = true,
};

}  // namespace

TopicEntry& TopicDirectory::open(std::string_view name, const void* type, TopicWire wire) {
  const std::lock_guard lock{mutex_};
  auto at = entries_.find(name);
  if (at == entries_.end()) {
    auto entry = std::make_unique<TopicEntry>(std::string{name}, type, wire, entries_.size(),
                                              std::make_unique<std::atomic<std::uint32_t>[]>(cores_));
    at = entries_.emplace(std::string{name}, std::move(entry)).first;
  }
  INVARIANT(at->second->type == type, "a topic has values of one type");
  return *at->second;
}

void TopicDirectory::receive(Host& host, const BusMessage& message) {
  const TopicEntry* entry = nullptr;
  {
    const std::lock_guard lock{mutex_};
    const auto at = entries_.find(message.topic);
    if (at == entries_.end()) return;  // nobody here has named it
    entry = at->second.get();
  }
  std::string why = "it bears the name " + message.type;
  if (entry->wire.receive != nullptr && entry->wire.type == message.type) {
    try {
      return entry->wire.receive(host, *entry, message);
    } catch (const std::exception& malformed) {
      why = malformed.what();
    } catch (...) {  // a value's own `decode` may throw anything
      why = "it is malformed";
    }
  }
  // Another node runs another program. Said once, since it will go on.
  if (unreadable_.insert(message.topic).second)
    host.report("topic " + message.topic + ": what another node publishes cannot be read here: " + why);
}

TopicDirectory::LocalTopic& TopicDirectory::local(Core& here, const TopicEntry& entry) {
  auto& topics = halves_[static_cast<std::size_t>(here.index())].topics;
  if (entry.index >= topics.size()) topics.resize(entry.index + 1);
  auto& topic = topics[entry.index];
  if (!topic) topic = std::make_unique<LocalTopic>();
  return *topic;
}

TopicDirectory::Member& TopicDirectory::member(Core& here, TopicEntry& entry, LocalTopic& topic,
                                               const TopicSubscriber& subscriber) {
  const ActorId id = lifecycle::id_of(subscriber.who);
  const auto known = topic.numbers.find(id);
  if (known != topic.numbers.end()) return topic.members[known->second];
  if (topic.free.empty()) {
    topic.free.push_back(static_cast<std::uint32_t>(topic.members.size()));
    topic.members.emplace_back();
  }
  const std::uint32_t number = topic.free.back();
  topic.free.pop_back();
  topic.numbers.emplace(id, number);
  topic.members[number].subscriber = subscriber;
  auto [watched, fresh] = half_of(here).watched.try_emplace(id);
  watched->second.topics.push_back(&entry);
  topic.members[number].subscriber.moved = watched->second.moved.get();
  if (fresh) lifecycle::request_watch(here, {}, forget_handler, subscriber.who);
  return topic.members[number];
}

void TopicDirectory::count(Core& here, TopicEntry& entry, int change) noexcept {
  auto& number = entry.subscriptions[static_cast<std::size_t>(here.index())];
  number.store(number.load(std::memory_order_relaxed) + static_cast<std::uint32_t>(change), std::memory_order_relaxed);
}

void TopicDirectory::add(Core& here, TopicEntry& entry, const TopicSubscriber& subscriber,
                         const base::TopicPattern& pattern) {
  LocalTopic& topic = local(here, entry);
  Member& one = member(here, entry, topic, subscriber);
  if (one.held.contains(pattern)) return;
  const auto added = topic.trie.add(pattern, topic.numbers.at(lifecycle::id_of(subscriber.who)));
  one.held.emplace(pattern, added.id);
  count(here, entry, 1);
}

void TopicDirectory::remove(Core& here, TopicEntry& entry, Address who, const base::TopicPattern& pattern) {
  LocalTopic& topic = local(here, entry);
  const auto number = topic.numbers.find(lifecycle::id_of(who));
  if (number == topic.numbers.end()) return;
  auto& held = topic.members[number->second].held;
  const auto subscription = held.find(pattern);
  if (subscription == held.end()) return;
  topic.trie.remove(subscription->second, pattern);
  held.erase(subscription);
  count(here, entry, -1);
}

void TopicDirectory::forget(Core& here, Address who) noexcept {
  Half& half = half_of(here);
  const ActorId id = lifecycle::id_of(who);
  const auto watched = half.watched.find(id);
  if (watched == half.watched.end()) return;
  for (TopicEntry* entry : watched->second.topics) {
    LocalTopic& topic = *half.topics[entry->index];
    const std::uint32_t number = topic.numbers.at(id);
    Member& one = topic.members[number];
    for (const auto& [pattern, subscription] : one.held) topic.trie.remove(subscription, pattern);
    count(here, *entry, -static_cast<int>(one.held.size()));
    one = {};
    topic.numbers.erase(id);
    topic.free.push_back(number);
  }
  const auto moved = std::move(watched->second.moved);
  half.watched.erase(watched);
  while (Envelope* envelope = moved ? moved->held.pop() : nullptr) here.drop(envelope, nullptr, Drop::dead);
}

}  // namespace troupe::actor
