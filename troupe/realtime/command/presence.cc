// Asking the home of the topic, for whoever might subscribe to it.
#include "troupe/realtime/command/presence.h"

#include <fmt/format.h>

namespace troupe::realtime {

actor::Task<void> run(GetPresence command, OptionalId id, Client& client) {
  const auto& topic = command.topic;
  if (topic.is_reserved() || !client.session().permissions.may_subscribe(TopicPattern{topic})) {
    refuse(client, id, ErrorCode::forbidden, fmt::format("no permission to subscribe to `{}`", topic.text()));
    co_return;
  }
  if (client.settings().of(topic).presence == Presence::off) {
    refuse(client, id, ErrorCode::forbidden, fmt::format("presence is off in the namespace of `{}`", topic.text()));
    co_return;
  }
  const auto& home = client.routing().presence_home(topic.text());
  auto page = co_await home.ask(ReadPresence{topic, command.limit, std::move(command.after)});
  if (!page) {
    client.answer(finished(
        ClientError{ErrorCode::overloaded, "who is present is not known now; try again", std::chrono::seconds{1}}, id));
    co_return;
  }
  client.answer(finished(PresenceState{topic.text(), page->count, std::move(page->users), std::move(page->next)}, id));
}

}  // namespace troupe::realtime
