// Publishing, and what each failure becomes.
#include "troupe/realtime/command/publish.h"

#include <fmt/format.h>

namespace troupe::realtime {

ClientError error_of(const actor::Failure<PublishError>& failure) {
  using namespace std::chrono_literals;
  if (failure.domain == PublishError::key_used_before) {
    return {ErrorCode::bad_request, "`idempotency_key` was used with another payload", {}};
  }
  if (failure.domain == PublishError::slow_reader) {
    return {ErrorCode::overloaded, "a subscriber of the topic does not keep up", 1s};
  }
  if (failure.domain == PublishError::not_recorded) {
    return {ErrorCode::overloaded, "the message could not be recorded, and nobody got it", 1s};
  }
  if (failure.domain == PublishError::record_too_large) {
    return {ErrorCode::too_large, "a message of a durable topic has at most a megabyte", {}};
  }
  if (failure.domain == PublishError::overloaded) return {ErrorCode::overloaded, "no room for another topic", 1s};
  if (failure.domain == PublishError::too_many_topics) {
    return {ErrorCode::rate_limited, "this user has begun as many topics as one user may", 10s};
  }
  if (failure.safe_to_retry()) return {ErrorCode::overloaded, "the message was not published; try again", 1s};
  return {ErrorCode::internal, "whether the message was published is not known", {}};
}

std::expected<JudgedPublication, ClientError> judge(PublishPtr command, const Asker& asker) {
  auto refused = [](ErrorCode code, std::string message) {
    return std::unexpected(ClientError{code, std::move(message), {}});
  };
  const auto& topic = command->topic.text();
  if (command->topic.is_reserved() || !asker.permissions.may_publish(command->topic)) {
    return refused(ErrorCode::forbidden, fmt::format("no permission to publish to `{}`", topic));
  }
  const auto* space = &asker.settings.of(command->topic);
  if (auto bytes_max = space->payload_bytes_max; command->payload.bytes.size() > bytes_max) {
    return refused(ErrorCode::too_large, fmt::format("a payload for `{}` has at most {} bytes", topic, bytes_max));
  }
  const auto* rule = find_rule(asker.settings.rules(), *command, asker.identity);
  if (rule != nullptr && rule->refuse) {
    return refused(ErrorCode::forbidden, fmt::format("a rule refuses this for `{}`", topic));
  }
  TargetScope target;
  base::SharedText redirected_to;
  if (rule != nullptr) {
    target = rule->target;
    command->priority = rule->priority.value_or(command->priority);
    if (rule->redirect) {
      // The key belongs to the topic that the client knows.
      if (!command->idempotency_key.empty()) command->idempotency_key += '\n' + topic;
      command->topic = *rule->redirect;
      redirected_to = command->topic.text();
      space = &asker.settings.of(command->topic);
      if (auto bytes_max = space->payload_bytes_max; command->payload.bytes.size() > bytes_max) {
        return refused(ErrorCode::too_large, fmt::format("a payload for `{}`, where a rule sends it, has at most {} "
                                                         "bytes",
                                                         redirected_to, bytes_max));
      }
    }
  }
  const bool holds_up = reaches_publishers(space->overflow) || space->durability == Durability::disk;
  return std::expected<JudgedPublication, ClientError>{
      std::in_place,
      PublishMessage{{asker.routing.here, asker.receiver, asker.identity.user}, std::move(command), std::move(target)},
      std::move(redirected_to), holds_up ? HomeAnswer::waited_for : HomeAnswer::as_wanted, publish_within(*space)};
}

Published Publishing::await_resume() {
  auto ack = asked_.await_resume();
  if (ack) ack->redirected_to = std::move(redirected_to_);
  return ack;
}

actor::Task<void> run(PublishPtr&& command, OptionalId id, Client& client) {
  auto judged = judge(std::move(command), asker(client));
  if (!judged) {
    client.answer(finished(judged.error(), id));
    co_return;
  }
  const std::string topic = judged->message.publication->topic.text();
  const auto& home = client.routing().home(topic);
  if (!id && judged->answer == HomeAnswer::as_wanted) {
    auto sent = home.tell(std::move(judged->message));
    if (sent != actor::Sent::sent) refuse(client, id, ErrorCode::overloaded, "a message was not published");
    co_return;
  }
  auto ack = co_await Publishing{*std::move(judged), home};
  if (ack && !id) co_return;
  if (!ack) co_return client.answer(finished(error_of(ack.error()), id));
  client.acknowledge(finished(*ack, id), topic, ack->position);
}

}  // namespace troupe::realtime
