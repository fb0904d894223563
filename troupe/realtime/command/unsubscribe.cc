// Unsubscribing is confirmed when the router knows of it, so that nothing comes after the confirmation.
#include "troupe/realtime/command/unsubscribe.h"

#include "troupe/realtime/command/subscriptions.h"

namespace troupe::realtime {

actor::Task<void> run(Unsubscribe command, OptionalId id, Client& client) {
  co_await drop_and_wait(command.topics, client);
  const auto left = client.session().subscription_count();
  client.answer(finished(UnsubscriptionConfirmed{std::move(command.topics), left}, id));
}

}  // namespace troupe::realtime
