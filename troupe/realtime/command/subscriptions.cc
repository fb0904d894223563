// See subscriptions.h.
#include "troupe/realtime/command/subscriptions.h"

#include <algorithm>

namespace troupe::realtime {

actor::Task<std::optional<std::vector<SubscribedResult>>> attach(Client& client, std::vector<WantedTopic> wanted) {
  if (wanted.empty()) co_return std::vector<SubscribedResult>{};
  std::vector<TopicPattern> topics;
  for (const auto& one : wanted) topics.push_back(one.pattern);
  for (const auto& topic : topics) {
    if (topic.is_name()) client.hold(topic.text());
  }
  auto& session = client.session();
  auto results = co_await client.routing().local().ask(AddSubscriptions{session.receiver, std::move(wanted)});
  if (results) co_return *std::move(results);
  for (const auto& topic : topics) client.release(topic.text(), {}, {});
  std::erase_if(topics, [&](const TopicPattern& topic) { return session.subscriptions.contains(topic); });
  client.routing().local().tell(RemoveSubscriptions{session.receiver, std::move(topics)});
  co_return std::nullopt;
}

std::vector<SubscribedTopic> confirmed(std::vector<SubscribedResult>& results, const Client& client) {
  std::vector<SubscribedTopic> entries;
  std::vector<KeptMessage> all;
  for (auto& result : results) {
    auto before = all.size();
    all.insert(all.end(), result.recovered.begin(), result.recovered.end());
    if (!result.recovered.empty() && !client.has_room_to_recover(all)) {
      all.resize(before);
      result.topic.recovered = false;
      result.recovered.clear();
    }
    entries.push_back(result.topic);
  }
  return entries;
}

void go_live(const std::vector<SubscribedResult>& results, Client& client) {
  for (const auto& result : results) client.release(result.topic.topic, result.topic.position, result.recovered);
}

Overflow policy_of(const TopicPattern& topic, const SubscriptionOptions& options, const Client& client) {
  const auto& space = client.settings().of(topic);
  return space.overflow_choice == OverflowChoice::server ? space.overflow : options.overflow.value_or(space.overflow);
}

void keep(std::vector<std::pair<TopicPattern, SubscriptionOptions>> topics, Client& client) {
  auto& session = client.session();
  for (const auto& [topic, options] : topics) {
    session.subscriptions.insert_or_assign(topic, options);
    if (session.restored) session.restored->erase(topic);
    options.presence == PresencePart::told ? client.watch_presence(topic) : client.unwatch_presence(topic);
  }
  client.routing().keeper(session.id).tell(ChangeSession{session.id, session.owner, {}, std::move(topics)});
}

void drop(std::vector<TopicPattern> topics, Client& client) {
  auto& session = client.session();
  for (const auto& topic : topics) {
    client.unwatch_presence(topic);
    session.subscriptions.erase(topic);
    if (session.restored) session.restored->erase(topic);
  }
  client.end_spilled(topics);
  client.routing().local().tell(RemoveSubscriptions{session.receiver, topics});
  client.routing().keeper(session.id).tell(ChangeSession{session.id, session.owner, std::move(topics), {}});
}

}  // namespace troupe::realtime
