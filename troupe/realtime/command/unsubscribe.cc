// Unsubscribing is told to the router and needs no answer of it.
#include "troupe/realtime/command/unsubscribe.h"

namespace troupe::realtime {

actor::Task<void> run(Unsubscribe command, OptionalId id, Client& client) {
  auto& session = client.session();
  for (const auto& topic : command.topics) session.subscriptions.erase(topic);
  client.routing().local().tell(RemoveSubscriptions{session.receiver, command.topics});
  client.answer(finished(UnsubscriptionConfirmed{std::move(command.topics), session.subscriptions.size()}, id));
  co_return;
}

}  // namespace troupe::realtime
