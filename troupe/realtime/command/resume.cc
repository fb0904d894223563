// Resuming in four steps: what is no longer permitted ends, the rest is attached with the
// client's positions, confirmed, and goes on. What fails can be asked for again.
#include "troupe/realtime/command/resume.h"

#include "troupe/realtime/command/forbidden.h"
#include "troupe/realtime/command/subscriptions.h"

namespace troupe::realtime {

namespace {

std::vector<TopicPattern> forbidden_restored(Client& client) {
  const auto& session = client.session();
  return forbidden_among(*session.restored, session.permissions);
}

std::vector<WantedTopic> wanted(const Resume& command, Client& client) {
  std::vector<WantedTopic> topics;
  const PlacesByTopic positions{command.positions};
  client.session().restored->for_each([&](const TopicPattern& topic, const SubscriptionOptions& options) {
    topics.push_back({topic, positions.of(topic), policy_of(topic, options, client)});
  });
  return topics;
}

// Until nothing is attached but what may be: it may become less while the homes are asked.
actor::Task<Attached> attach_permitted(Resume command, Client& client) {
  while (true) {
    end_as_forbidden(forbidden_restored(client), client);
    auto topics = wanted(command, client);
    auto results = co_await attach(client, topics);
    if (!results || forbidden_restored(client).empty()) co_return std::move(results);
    std::vector<TopicPattern> attached;
    for (const auto& topic : topics) attached.push_back(topic.pattern);
    co_await take_back(std::move(attached), client);
  }
}

}  // namespace

actor::Task<void> run(Resume command, OptionalId id, Client& client) {
  auto& session = client.session();
  if (!session.restored) {
    refuse(client, id, ErrorCode::bad_request, "there is no session to resume, or it was resumed before");
    co_return;
  }
  auto results = co_await attach_permitted(std::move(command), client);  // 1. may they still; 2. attach and read
  if (!results) {
    refuse(client, id, results.error());
    co_return;
  }
  session.restored->for_each([&](const TopicPattern& topic, const SubscriptionOptions& options) {
    if (options.presence == PresencePart::told) client.watch_presence(topic);
    session.subscriptions.try_emplace(topic, options);
  });  // 3. confirm
  session.restored.reset();
  client.confirm(finished(Resumed{confirmed(*results, client)}, id));
  go_live(*std::move(results), client);  // 4. what was missed, then live
}

}  // namespace troupe::realtime
