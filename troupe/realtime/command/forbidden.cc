// See forbidden.h.
#include "troupe/realtime/command/forbidden.h"

namespace troupe::realtime {

void end_forbidden(Client& client) {
  auto& session = client.session();
  std::vector<TopicPattern> ended;
  for (const auto& topic : session.subscriptions) {
    if (!session.permissions.may_subscribe(topic)) ended.push_back(topic);
  }
  if (ended.empty()) return;
  for (const auto& topic : ended) session.subscriptions.erase(topic);
  client.routing().local().tell(RemoveSubscriptions{session.receiver, ended});
  client.answer(finished(Unsubscribed{std::move(ended), "forbidden"}));
}

}  // namespace troupe::realtime
