// Answers that need nobody else.
#include "troupe/realtime/command/info.h"

namespace troupe::realtime {

actor::Task<void> run(GetInfo, OptionalId id, Client& client) {
  const auto& session = client.session();
  auto figures = client.figures();
  Info info{session.connection, session.identity.user, session.subscription_count(), figures.queue, {}};
  if (figures.rtt) info.rtt = std::chrono::duration_cast<std::chrono::milliseconds>(*figures.rtt);
  client.answer(finished(info, id));
  co_return;
}

actor::Task<void> run(Ping command, OptionalId id, Client& client) {
  client.answer(finished(Pong{std::move(command.timestamp)}, id));
  co_return;
}

}  // namespace troupe::realtime
