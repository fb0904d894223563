// See subscriptions.h.
#include "troupe/realtime/command/subscriptions.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace troupe::realtime {

namespace {

// What is new among these ends; what was there before has its own policy again.
void undo(std::vector<TopicPattern> topics, Client& client) {
  const auto& session = client.session();
  std::vector<WantedTopic> stays;
  std::erase_if(topics, [&](const TopicPattern& topic) {
    const auto* options = session.subscriptions.find(topic);
    if (options != nullptr) stays.push_back({topic, {}, policy_of(topic, *options, client)});
    return options != nullptr;
  });
  const auto& router = client.routing().local();
  router.tell(RemoveSubscriptions{session.receiver, std::move(topics)});
  if (!stays.empty()) router.tell(AddSubscriptions{session.receiver, std::move(stays)});
}

// The router is told what ends in any case, and only asked when it has heard that: of an ask that nobody waits for any
// more nothing might be done.
actor::Task<void> catch_up(Client& client) {
  auto caught_up = co_await client.routing().local().ask(CatchUp{});
  static_cast<void>(caught_up);  // a router that has failed knows of no subscription any more
}

// Where nobody says why, it took too long, on the disk or before its turn came; or the router has failed.
AttachFault fault_of(const actor::Failure<NotOpened>& failure) {
  if (failure.domain == NotOpened::no_room) return AttachFault::no_room;
  return failure.outcome == actor::Outcome::executed_failed ? AttachFault::unknown : AttachFault::not_read;
}

}  // namespace

actor::Task<Attached> attach(Client& client, std::vector<WantedTopic> wanted, RoutesCut cut) {
  if (wanted.empty()) co_return std::vector<SubscribedResult>{};
  std::vector<TopicPattern> topics;
  for (const auto& one : wanted) topics.push_back(one.pattern);
  client.hold(topics);
  const bool goes_on = cut != nullptr;
  auto& session = client.session();
  auto results =
      co_await client.routing().local().ask(AddSubscriptions{session.receiver, std::move(wanted), std::move(cut)});
  if (results) co_return *std::move(results);
  if (goes_on) {
    client.discard();
    co_return std::unexpected(AttachFault::unknown);
  }
  client.call_off();
  undo(std::move(topics), client);
  co_return std::unexpected(fault_of(results.error()));
}

actor::Task<void> take_back(std::vector<TopicPattern> topics, Client& client) {
  undo(std::move(topics), client);
  co_await catch_up(client);
  client.call_off();
}

void refuse(Client& client, const std::optional<RequestId>& id, AttachFault fault) {
  switch (fault) {
    case AttachFault::no_room:
      return refuse(client, id, ErrorCode::overloaded, "there is no room for more topics now; try again later");
    case AttachFault::not_read:
      return refuse(client, id, ErrorCode::overloaded, "the topics could not be read now; try again later");
    case AttachFault::unknown:
      return refuse(client, id, ErrorCode::internal, "this came to nothing; try again");
  }
}

// What a frame has more by a pattern: `shard` and `seq`, with names and commas.
constexpr std::size_t shard_fields_bytes = 48;

std::vector<SubscribedTopic> confirmed(std::vector<SubscribedResult>& results, const Client& client) {
  std::vector<SubscribedTopic> entries;
  std::size_t messages = 0, bytes = 0;
  for (auto& result : results) {
    std::size_t more = 0;
    for (const auto& one : result.recovered) {
      more += one.message.message.frame.size();
      if (one.came == Came::by_pattern) more += shard_fields_bytes;
    }
    if (!result.recovered.empty() && !client.has_room_to_recover(messages + result.recovered.size(), bytes + more)) {
      result.topic.recovered = false;
      result.recovered.clear();
    } else {
      messages += result.recovered.size();
      bytes += more;
    }
    entries.push_back(result.topic);
  }
  return entries;
}

namespace {

// All that was recovered. Where patterns are among it, in the order of `seq`, so that the client's positions are true
// after each message, and of two copies the one that bears a `seq`.
std::vector<RecoveredMessage> merged(std::vector<SubscribedResult>& results) {
  std::vector<RecoveredMessage> all;
  std::set<std::pair<std::string, Offset>> known;
  auto by_pattern = [](const SubscribedResult& result) { return !result.topic.shards.empty(); };
  const bool any_pattern = std::ranges::any_of(
      results, [&](const SubscribedResult& result) { return by_pattern(result) && !result.recovered.empty(); });
  for (bool patterns : {true, false}) {
    for (auto& result : results) {
      if (by_pattern(result) != patterns) continue;
      for (auto& one : result.recovered) {
        if (any_pattern && !known.emplace(one.topic, one.message.offset).second) continue;
        all.push_back(std::move(one));
      }
    }
  }
  if (any_pattern) {
    // What was read from the disk has no number in the shard's stream: there the offset decides.
    std::ranges::sort(all, {}, [](const RecoveredMessage& one) {
      return std::tuple{one.message.seq, std::string_view{one.topic}, one.message.offset};
    });
  }
  return all;
}

}  // namespace

bool BroughtTopics::contains(const std::string& topic) {
  constexpr std::size_t asked_max = 16;  // of each pattern, before a trie is less work
  const auto name = TopicName::parse(topic);
  if (!name) return false;
  if (++asked_ <= asked_max) return any_matches(*name);
  if (!patterns_) fill_trie();
  return !patterns_->match(*name).empty();
}

bool BroughtTopics::any_matches(const TopicName& topic) const {
  return client_.session().subscriptions.any_key(
      [&](const TopicPattern& one) { return !one.is_name() && one.matches(topic) && !client_.has_begun(one); });
}

// All of them are of one subscriber: which one matches nobody asks.
void BroughtTopics::fill_trie() {
  patterns_.emplace();
  client_.session().subscriptions.for_each([&](const TopicPattern& one, const SubscriptionOptions&) {
    if (!one.is_name() && !client_.has_begun(one)) patterns_->add(one, 0);
  });
}

void go_live(std::vector<SubscribedResult> results, Client& client, Begin begin) {
  auto recovered = merged(results);
  TopicPositions last;
  for (const auto& one : recovered) last[one.topic] = {one.epoch, one.message.offset};
  ShardSeqs begins;  // of several patterns the latest: what one that goes on from before has up to there is recovered
  for (const auto& result : results) {
    for (const auto& [name, place] : result.topic.shards) begins[name] = std::max(begins[name], place.offset);
  }
  BroughtTopics brought{client};
  for (const auto& result : results) {
    if (!result.topic.shards.empty()) continue;
    // What a pattern brings of it goes on from where that one is, wherever the name begins, and be it named again.
    if (brought.contains(result.topic.topic)) continue;
    last.try_emplace(result.topic.topic, result.topic.position);
    if (begin == Begin::at_position || !result.topic.recovered)
      client.begin_anew(result.topic.topic, result.topic.position);
  }
  client.recover(recovered);
  client.release(last, begins);
}

Overflow policy_of(const TopicPattern& topic, const SubscriptionOptions& options, const Client& client) {
  const auto& space = client.settings().of(topic);
  return space.overflow_choice == OverflowChoice::server ? space.overflow : options.overflow.value_or(space.overflow);
}

void keep(std::vector<std::pair<TopicPattern, SubscriptionOptions>> topics, Client& client) {
  auto& session = client.session();
  for (const auto& [topic, options] : topics) {
    session.subscriptions.insert_or_assign(topic, options);
    if (session.restored) session.restored->erase(topic);
    options.presence == PresencePart::told ? client.watch_presence(topic) : client.unwatch_presence(topic);
  }
  client.routing().keeper(session.id).tell(ChangeSession{session.id, client.owner(), {}, std::move(topics)});
}

void drop(std::vector<TopicPattern> topics, Client& client) {
  auto& session = client.session();
  for (const auto& topic : topics) {
    client.unwatch_presence(topic);
    session.subscriptions.erase(topic);
    if (session.restored) session.restored->erase(topic);
  }
  client.end_topics(topics);
  client.routing().local().tell(RemoveSubscriptions{session.receiver, topics});
  client.routing().keeper(session.id).tell(ChangeSession{session.id, client.owner(), std::move(topics), {}});
}

actor::Task<void> drop_and_wait(std::vector<TopicPattern> topics, Client& client) {
  client.hold(topics);
  drop(std::move(topics), client);
  co_await catch_up(client);
  client.call_off();
}

}  // namespace troupe::realtime
