// Reading asks the topic's home; the connection sends the items.
#include "troupe/realtime/command/history.h"

#include <fmt/format.h>

namespace troupe::realtime {

void hide_from(const Identity& identity, HistoryPage& page) {
  std::erase_if(page.items, [&](const KeptMessage& item) { return item.target && !identity.has_scope(*item.target); });
}

std::optional<ClientError> forbids_reading(const TopicName& topic, const Permissions& permissions) {
  if (!topic.is_reserved() && permissions.may_subscribe(TopicPattern{topic})) return std::nullopt;
  return ClientError{ErrorCode::forbidden, fmt::format("no permission to read `{}`", topic.text()), {}};
}

actor::Task<void> run(ReadHistory command, OptionalId id, Client& client) {
  auto& session = client.session();
  const auto topic = command.topic;
  if (auto forbidden = forbids_reading(topic, session.permissions)) {
    client.answer(finished(*forbidden, id));
    co_return;
  }
  auto page = co_await client.routing().home(topic.text()).ask(ReadTopic{std::move(command)});
  if (auto forbidden = forbids_reading(topic, session.permissions)) {  // they may have shrunk meanwhile
    client.answer(finished(*forbidden, id));
    co_return;
  }
  if (!page) {
    refuse(client, id, ErrorCode::overloaded, "the history could not be read; try again");
    co_return;
  }
  hide_from(session.identity, *page);
  if (auto refused = client.start_history(id, topic.text(), *std::move(page))) client.answer(finished(*refused, id));
}

actor::Task<void> run(Cancel command, OptionalId id, Client& client) {
  bool found = client.cancel_history(command.target);
  if (!id) co_return;
  if (found) {
    client.answer(finished(Ack{}, id));
  } else {
    refuse(client, id, ErrorCode::not_found, "no history with that id is under way");
  }
}

}  // namespace troupe::realtime
