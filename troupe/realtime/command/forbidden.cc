// See forbidden.h.
#include "troupe/realtime/command/forbidden.h"

#include <set>

#include "troupe/realtime/command/subscriptions.h"

namespace troupe::realtime {

std::vector<TopicPattern> forbidden_among(const SubscriptionMap& subscriptions, const Permissions& permissions) {
  std::vector<TopicPattern> forbidden;
  subscriptions.for_each([&](const TopicPattern& topic, const SubscriptionOptions&) {
    if (!permissions.may_subscribe(topic)) forbidden.push_back(topic);
  });
  return forbidden;
}

void end_as_forbidden(std::vector<TopicPattern> ended, Client& client) {
  if (ended.empty()) return;
  drop(ended, client);
  client.answer(finished(Unsubscribed{std::move(ended), "forbidden"}));
}

void end_forbidden(Client& client, std::span<const TopicPattern> under_way) {
  const auto& session = client.session();
  auto ended = forbidden_among(session.subscriptions, session.permissions);
  const std::set<TopicPattern> stay{under_way.begin(), under_way.end()};
  std::erase_if(ended, [&](const TopicPattern& topic) { return stay.contains(topic); });
  end_as_forbidden(std::move(ended), client);
}

}  // namespace troupe::realtime
