// Subscribing in four steps; nothing is told to a router before all is permitted.
#include "troupe/realtime/command/subscribe.h"

#include <fmt/format.h>

#include <algorithm>

#include "troupe/realtime/command/subscriptions.h"

namespace troupe::realtime {

namespace {

std::optional<ClientError> refusal_of(const Subscribe& command, Client& client) {
  const auto& session = client.session();
  std::size_t count = session.subscriptions.size() + (session.restored ? session.restored->size() : 0);
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
    const bool has = session.subscriptions.contains(topic) || (session.restored && session.restored->contains(topic));
    count += has ? 0 : 1;
  }
  if (count > client.subscriptions_max()) {
    return ClientError{
        ErrorCode::too_large, fmt::format("a connection has at most {} subscriptions", client.subscriptions_max()), {}};
  }
  return std::nullopt;
}

std::vector<WantedTopic> wanted(const Subscribe& command, const SubscriptionOptions& options, const Client& client) {
  std::vector<WantedTopic> topics;
  for (const auto& topic : command.topics) {
    auto recover = std::ranges::find(command.recover, topic, &std::pair<TopicPattern, Position>::first);
    topics.push_back({topic, recover == command.recover.end() ? std::nullopt : std::optional{recover->second},
                      policy_of(topic, options, client)});
  }
  return topics;
}

}  // namespace

actor::Task<void> run(Subscribe command, OptionalId id, Client& client) {
  if (auto refused = refusal_of(command, client)) {  // 1. may they, and is there room
    client.answer(finished(*refused, id));
    co_return;
  }
  const SubscriptionOptions options{command.overflow, TellPresence::no};
  auto results = co_await attach(client, wanted(command, options, client));  // 2. attach and read
  if (!results) {
    refuse(client, id, ErrorCode::internal, "the subscription could not be made; try again");
    co_return;
  }
  keep(command.topics, options, client);  // 3. confirm
  auto topics = confirmed(*results, client);
  client.answer(finished(SubscriptionConfirmed{std::move(topics), client.session().subscriptions.size()}, id));
  go_live(*results, client);  // 4. what was missed, then live
}

}  // namespace troupe::realtime
