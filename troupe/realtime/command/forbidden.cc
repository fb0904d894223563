// See forbidden.h.
#include "troupe/realtime/command/forbidden.h"

#include <set>

#include "troupe/realtime/command/subscriptions.h"

namespace troupe::realtime {

void end_forbidden(Client& client, std::span<const TopicPattern> under_way) {
  const auto& session = client.session();
  const std::set<TopicPattern> stay{under_way.begin(), under_way.end()};
  std::vector<TopicPattern> ended;
  session.subscriptions.for_each([&](const TopicPattern& topic, const SubscriptionOptions&) {
    if (!session.permissions.may_subscribe(topic) && !stay.contains(topic)) ended.push_back(topic);
  });
  if (ended.empty()) return;
  drop(ended, client);
  client.answer(finished(Unsubscribed{std::move(ended), "forbidden"}));
}

}  // namespace troupe::realtime
