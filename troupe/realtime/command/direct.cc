// Direct messages go to the home of the inbox; so does what was received.
#include "troupe/realtime/command/direct.h"

namespace troupe::realtime {

ClientError error_of(const actor::Failure<DirectError>& failure) {
  if (failure.domain == DirectError::key_used_before) {
    return {ErrorCode::bad_request, "the idempotency key was used with another payload", {}};
  }
  if (failure.domain == DirectError::too_large) {
    return {ErrorCode::too_large, "the message is larger than an inbox", {}};
  }
  if (failure.domain == DirectError::too_many_inboxes) {
    return {ErrorCode::rate_limited, "too much of this user's mail waits for its receivers; try again later",
            std::chrono::seconds{10}};
  }
  if (failure.domain || failure.safe_to_retry()) {
    return {ErrorCode::overloaded, "the message was not sent; try again", {}};
  }
  return {ErrorCode::internal, "whether the message was sent is not known", {}};
}

actor::Task<void> run(Direct command, OptionalId id, Client& client) {
  auto& session = client.session();
  auto topic = TopicName::parse(inbox_topic(command.user));
  if (!topic) {
    refuse(client, id, ErrorCode::bad_request, "`user` cannot be the id of a user");
    co_return;
  }
  if (!session.permissions.may_publish(*topic)) {
    refuse(client, id, ErrorCode::forbidden, "no permission to send to this user");
    co_return;
  }
  const auto& home = client.routing().home(topic->text());
  SendDirect message{session.identity.user, std::move(command)};
  if (!id) {
    auto sent = home.tell(std::move(message));
    if (sent != actor::Sent::sent) refuse(client, id, ErrorCode::overloaded, "a direct message was not sent");
    co_return;
  }
  auto ack = co_await home.ask(std::move(message));
  client.answer(ack ? finished(*ack, id) : finished(error_of(ack.error()), id));
}

actor::Task<void> run(Received command, OptionalId id, Client& client) {
  const auto& user = client.session().identity.user;
  const auto& home = client.routing().home(inbox_topic(user));
  AcknowledgeInbox message{user, command.offset, std::move(command.epoch)};
  const auto not_noted = "what was received may not have been noted; say it again";
  if (!id) {
    if (home.tell(std::move(message)) != actor::Sent::sent) refuse(client, id, ErrorCode::overloaded, not_noted);
    co_return;
  }
  auto noted = co_await home.ask(std::move(message));
  if (!noted) co_return refuse(client, id, ErrorCode::overloaded, not_noted);
  client.answer(finished(Ack{}, id));
}

}  // namespace troupe::realtime
