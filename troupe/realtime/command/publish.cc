// Publishing, and what each failure becomes.
#include "troupe/realtime/command/publish.h"

#include <fmt/format.h>

namespace troupe::realtime {

namespace {

using Failure = actor::Failure<PublishError>;

ClientError error_of(const Failure& failure) {
  using namespace std::chrono_literals;
  if (failure.domain == PublishError::key_used_before) {
    return {ErrorCode::bad_request, "`idempotency_key` was used with another payload", {}};
  }
  if (failure.domain == PublishError::slow_reader) {
    return {ErrorCode::overloaded, "a subscriber of the topic does not keep up", 1s};
  }
  if (failure.domain == PublishError::overloaded) return {ErrorCode::overloaded, "no room for another topic", 1s};
  if (failure.safe_to_retry()) return {ErrorCode::overloaded, "the message was not published; try again", 1s};
  return {ErrorCode::internal, "whether the message was published is not known", {}};
}

}  // namespace

actor::Task<void> run(Publish command, OptionalId id, Client& client) {
  auto& session = client.session();
  if (command.topic.is_reserved() || !session.permissions.may_publish(command.topic)) {
    refuse(client, id, ErrorCode::forbidden, fmt::format("no permission to publish to `{}`", command.topic.text()));
    co_return;
  }
  if (auto bytes_max = client.settings().of(command.topic).payload_bytes_max;
      command.payload.bytes.size() > bytes_max) {
    refuse(client, id, ErrorCode::too_large,
           fmt::format("a payload for `{}` has at most {} bytes", command.topic.text(), bytes_max));
    co_return;
  }
  const auto* rule = find_rule(client.settings().rules(), command, session.identity);
  if (rule != nullptr && rule->refuse) {
    refuse(client, id, ErrorCode::forbidden, fmt::format("a rule refuses this for `{}`", command.topic.text()));
    co_return;
  }
  TargetScope target;
  std::string redirected_to;
  if (rule != nullptr) {
    target = rule->target;
    command.priority = rule->priority.value_or(command.priority);
    if (rule->redirect) {
      // The key belongs to the topic that the client knows.
      if (!command.idempotency_key.empty()) command.idempotency_key += '\n' + command.topic.text();
      command.topic = *rule->redirect;
      redirected_to = command.topic.text();
    }
  }
  const auto& home = client.routing().home(command.topic.text());
  Publisher publisher{client.routing().here, session.receiver, session.identity.user};
  PublishMessage message{std::move(publisher), std::move(command), std::move(target)};
  // Where publishers feel slow readers, who publishes waits for the home also when it wants no answer.
  const auto& space = client.settings().of(message.publication.topic);
  const bool feels = reaches_publishers(space.overflow);
  const auto within = publish_within(space);
  if (!id && !feels) {
    auto sent = home.tell(std::move(message));
    if (sent != actor::Sent::sent) refuse(client, id, ErrorCode::overloaded, "a message was not published");
    co_return;
  }
  auto ack = co_await home.within(within).ask(std::move(message));
  if (ack && !id) co_return;
  if (ack) ack->redirected_to = std::move(redirected_to);
  if (!ack) co_return client.answer(finished(error_of(ack.error()), id));
  client.acknowledge(finished(*ack, id), ack->position);
}

}  // namespace troupe::realtime
