// Authenticating: verify, adopt, and give up what is no longer permitted.
#include "troupe/realtime/command/authenticate.h"

namespace troupe::realtime {

namespace {

// Ends the subscriptions that the new permissions do not cover, and says which.
void drop_forbidden(Client& client) {
  auto& session = client.session();
  std::vector<TopicPattern> dropped;
  for (const auto& topic : session.subscriptions) {
    if (!session.permissions.may_subscribe(topic)) dropped.push_back(topic);
  }
  if (dropped.empty()) return;
  for (const auto& topic : dropped) session.subscriptions.erase(topic);
  client.routing().local().tell(RemoveSubscriptions{session.receiver, dropped});
  client.answer(finished(Unsubscribed{std::move(dropped), "forbidden"}));
}

}  // namespace

actor::Task<void> run(Authenticate command, OptionalId id, Client& client) {
  auto identity = co_await client.verify(std::move(command.token));
  if (!identity) {
    client.answer(finished(identity.error(), id));
    co_return;
  }
  auto& session = client.session();
  if (client.is_open() && identity->user != session.identity.user) {
    refuse(client, id, ErrorCode::forbidden, "the token is another user's");
    co_return;
  }
  client.answer(finished(Authenticated{identity->user, identity->expires_at}, id));
  co_await client.adopt(*std::move(identity));
  drop_forbidden(client);
}

}  // namespace troupe::realtime
