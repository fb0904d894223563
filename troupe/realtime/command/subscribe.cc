// Subscribing in five steps; nothing is told to a router before all is permitted.
#include "troupe/realtime/command/subscribe.h"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::realtime {

namespace {

std::optional<ClientError> refusal_of(const Subscribe& command, Client& client) {
  const auto& session = client.session();
  std::size_t fresh = 0;
  for (const auto& topic : command.topics) {
    if (topic.is_reserved() || !session.permissions.may_subscribe(topic)) {
      return ClientError{ErrorCode::forbidden, fmt::format("no permission to subscribe to `{}`", topic.text()), {}};
    }
    const auto& options = client.settings().of(topic);
    if (options.overflow_choice == OverflowChoice::server &&
        command.overflow.value_or(options.overflow) != options.overflow) {
      return ClientError{
          ErrorCode::forbidden, fmt::format("`overflow` of `{}` is the server's to choose", topic.text()), {}};
    }
    fresh += session.subscriptions.contains(topic) ? 0 : 1;
  }
  if (session.subscriptions.size() + fresh > client.subscriptions_max()) {
    return ClientError{
        ErrorCode::too_large, fmt::format("a connection has at most {} subscriptions", client.subscriptions_max()), {}};
  }
  return std::nullopt;
}

AddSubscriptions request_of(const Subscribe& command, const Client& client, ReceiverNumber receiver) {
  AddSubscriptions request{receiver, {}};
  for (const auto& topic : command.topics) {
    auto recover = std::ranges::find(command.recover, topic, &std::pair<TopicPattern, Position>::first);
    request.topics.push_back({topic, recover == command.recover.end() ? std::nullopt : std::optional{recover->second},
                              command.overflow.value_or(client.settings().of(topic).overflow)});
  }
  return request;
}

// Nobody knows what the router has done, so all of it is taken back.
void give_up(const Subscribe& command, const OptionalId& id, Client& client) {
  auto& session = client.session();
  std::vector<TopicPattern> fresh;
  std::ranges::copy_if(command.topics, std::back_inserter(fresh),
                       [&](const TopicPattern& topic) { return !session.subscriptions.contains(topic); });
  client.routing().local().tell(RemoveSubscriptions{session.receiver, std::move(fresh)});
  for (const auto& topic : command.topics) client.release(topic.text(), {}, {});
  refuse(client, id, ErrorCode::internal, "the subscription could not be made; try again");
}

}  // namespace

actor::Task<void> run(Subscribe command, OptionalId id, Client& client) {
  if (auto refused = refusal_of(command, client)) {  // 1. may they, and is there room
    client.answer(finished(*refused, id));
    co_return;
  }
  // 2. live messages wait, so that none comes before the confirmation or twice
  for (const auto& topic : command.topics) {
    if (topic.is_name()) client.hold(topic.text());
  }
  auto& session = client.session();
  auto results =
      co_await client.routing().local().ask(request_of(command, client, session.receiver));  // 3. attach and read
  if (!results) {
    give_up(command, id, client);
    co_return;
  }
  session.subscriptions.insert(command.topics.begin(), command.topics.end());  // 4. confirm
  SubscriptionConfirmed confirmed{{}, session.subscriptions.size()};
  for (auto& result : *results) {
    if (!client.has_room_to_recover(result.recovered)) {
      result.topic.recovered = false;
      result.recovered.clear();
    }
    confirmed.topics.push_back(result.topic);
  }
  client.answer(finished(confirmed, id));
  for (const auto& result : *results) {  // 5. what was missed, then live
    client.release(result.topic.topic, result.topic.position, result.recovered);
  }
}

}  // namespace troupe::realtime
