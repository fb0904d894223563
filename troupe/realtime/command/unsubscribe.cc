// Unsubscribing is told to the router and needs no answer of it.
#include "troupe/realtime/command/unsubscribe.h"

#include "troupe/realtime/command/subscriptions.h"

namespace troupe::realtime {

actor::Task<void> run(Unsubscribe command, OptionalId id, Client& client) {
  drop(command.topics, client);
  const auto left = client.session().subscriptions.size();
  client.answer(finished(UnsubscriptionConfirmed{std::move(command.topics), left}, id));
  co_return;
}

}  // namespace troupe::realtime
