// Subscribing in four steps; nothing is told to a router before all is permitted.
#include "troupe/realtime/command/subscribe.h"

#include <fmt/format.h>

#include "troupe/realtime/command/subscriptions.h"

namespace troupe::realtime {

std::optional<ClientError> forbids(const Subscribe& command, const Permissions& permissions,
                                   const RealtimeSettings& settings) {
  for (const auto& topic : command.topics) {
    // Topics of the server's own are heard by whom a scope allows it by name; inboxes have their own way.
    const bool is_hidden = topic.text().starts_with('$');
    if (is_hidden || !permissions.may_subscribe(topic)) {
      return ClientError{ErrorCode::forbidden, fmt::format("no permission to subscribe to `{}`", topic.text()), {}};
    }
    if (command.presence && is_reserved_topic(topic.text())) {
      return ClientError{ErrorCode::forbidden, fmt::format("`{}` has no presence", topic.text()), {}};
    }
    const auto& options = settings.of(topic);
    if (options.overflow_choice == OverflowChoice::server &&
        command.overflow.value_or(options.overflow) != options.overflow) {
      return ClientError{
          ErrorCode::forbidden, fmt::format("`overflow` of `{}` is the server's to choose", topic.text()), {}};
    }
    if (command.presence && !topic.is_name()) {
      return ClientError{
          ErrorCode::bad_request, fmt::format("`presence` is told of topics, and `{}` is a pattern", topic.text()), {}};
    }
    if (command.presence && options.presence == Presence::off) {
      return ClientError{
          ErrorCode::forbidden, fmt::format("presence is off in the namespace of `{}`", topic.text()), {}};
    }
  }
  return std::nullopt;
}

namespace {

std::optional<ClientError> refusal_of(const Subscribe& command, Client& client) {
  const auto& session = client.session();
  if (auto forbidden = forbids(command, session.permissions, client.settings())) return forbidden;
  std::size_t count = session.subscription_count();
  for (const auto& topic : command.topics) {
    const bool has = session.subscriptions.contains(topic) || (session.restored && session.restored->contains(topic));
    count += has ? 0 : 1;
  }
  if (count > client.subscriptions_max()) {
    return ClientError{
        ErrorCode::too_large, fmt::format("a connection has at most {} subscriptions", client.subscriptions_max()), {}};
  }
  return std::nullopt;
}

SubscriptionOptions options_of(const TopicPattern& topic, const Subscribe& command, const Client& client) {
  const bool counted =
      topic.is_name() && !is_reserved_topic(topic.text()) && client.settings().of(topic).presence == Presence::on;
  const auto part = command.presence ? PresencePart::told : PresencePart::counted;
  return {command.overflow, counted ? part : PresencePart::none};
}

std::vector<WantedTopic> wanted(const Subscribe& command, const Client& client) {
  std::vector<WantedTopic> topics;
  const PlacesByTopic recover{command.recover};
  for (const auto& topic : command.topics) {
    topics.push_back({topic, recover.of(topic), policy_of(topic, options_of(topic, command, client), client)});
  }
  return topics;
}

/// A name that was there already goes on as it was, and so does one that a pattern brings: what has come of it since
/// the client's place follows.
void go_on(std::vector<SubscribedResult>& results, Client& client) {
  BroughtTopics brought{client};
  for (auto& [topic, recovered] : results) {
    const auto pattern = TopicPattern::parse(topic.topic).value();
    if (!pattern.is_name() || topic.recovered) continue;
    if (!client.session().subscriptions.contains(pattern) && !brought.contains(topic.topic)) continue;
    const auto place = client.place_in(topic.topic);
    if (place && place->epoch == topic.position.epoch) topic.position = *place;
  }
}

}  // namespace

actor::Task<void> run(Subscribe command, OptionalId id, Client& client) {
  if (auto refused = refusal_of(command, client)) {  // 1. may they, and is there room
    client.answer(finished(*refused, id));
    co_return;
  }
  auto results = co_await attach(client, wanted(command, client));  // 2. attach and read
  if (!results) {
    refuse(client, id, results.error());
    co_return;
  }
  if (auto refused = forbids(command, client.session().permissions, client.settings())) {  // it may less by now
    co_await take_back(std::move(command.topics), client);
    client.answer(finished(*refused, id));
    co_return;
  }
  go_on(*results, client);
  std::vector<std::pair<TopicPattern, SubscriptionOptions>> kept;  // 3. confirm
  for (const auto& topic : command.topics) kept.emplace_back(topic, options_of(topic, command, client));
  keep(std::move(kept), client);
  auto topics = confirmed(*results, client);
  client.confirm(finished(SubscriptionConfirmed{std::move(topics), client.session().subscription_count()}, id));
  go_live(*std::move(results), client);  // 4. what was missed, then live
}

}  // namespace troupe::realtime
