// See forbidden.h.
#include "troupe/realtime/command/forbidden.h"

#include "troupe/realtime/command/subscriptions.h"

namespace troupe::realtime {

void end_forbidden(Client& client) {
  const auto& session = client.session();
  std::vector<TopicPattern> ended;
  for (const auto& [topic, options] : session.subscriptions) {
    if (!session.permissions.may_subscribe(topic)) ended.push_back(topic);
  }
  if (ended.empty()) return;
  drop(ended, client);
  client.answer(finished(Unsubscribed{std::move(ended), "forbidden"}));
}

}  // namespace troupe::realtime
