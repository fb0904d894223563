// What a connection is subscribed to, in the three places that know of it: its own session,
// the router of its core, and the keeper of sessions, who has it when the socket is gone.
//
// Called in the connection's actor, between two steps of a command.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/base/subscription_trie.h"
#include "troupe/realtime/command/client.h"

namespace troupe::realtime {

/// Where topics go on, found by topic; of one that comes twice the first counts. It refers to what it was made from.
class PlacesByTopic {
 public:
  explicit PlacesByTopic(const std::vector<std::pair<TopicPattern, RecoverFrom>>& places) {
    for (const auto& [topic, from] : places) places_.try_emplace(topic.text(), &from);
  }
  std::optional<RecoverFrom> of(const TopicPattern& topic) const {
    const auto place = places_.find(topic.text());
    return place == places_.end() ? std::nullopt : std::optional{*place->second};
  }

 private:
  std::map<std::string_view, const RecoverFrom*> places_;  // a search for each of a thousand would be a million steps
};

enum class AttachFault : std::uint8_t {
  no_room,   // for so many topics that nobody here has yet
  not_read,  // from the disk, or in time
  unknown,   // nobody knows what the router has done
};

using Attached = std::expected<std::vector<SubscribedResult>, AttachFault>;

/// Subscribes at the router; live messages wait until go_live(), so that none comes before the confirmation, twice, or
/// after a hole that nobody tells. With `cut` they are its own, which go on after it. Whatever fails, all that the
/// connection did not have before is taken back.
actor::Task<Attached> attach(Client& client, std::vector<WantedTopic> wanted, RoutesCut cut = {});

/// Takes back what attach() has made, but for what the client had before, and forgets what came of it: what the client
/// may has become less meanwhile.
actor::Task<void> take_back(std::vector<TopicPattern> topics, Client& client);

/// Tells why nothing was attached.
void refuse(Client& client, const std::optional<RequestId>& id, AttachFault fault);

/// The topics that the client's patterns bring which were there before the present command: what comes of such a topic
/// goes on from where that pattern is. A frame may name a thousand topics and the client have as many patterns, so
/// after a few questions they are asked of a trie. For one step of a command: it refers to the client.
class BroughtTopics {
 public:
  explicit BroughtTopics(Client& client) : client_(client) {}
  bool contains(const std::string& topic);

 private:
  bool any_matches(const TopicName& topic) const;
  void fill_trie();

  Client& client_;
  std::size_t asked_ = 0;
  std::optional<base::SubscriptionTrie> patterns_;  // once many were asked for
};

/// The entries of the confirmation. A recovery that the outbox has no room for becomes a refused one.
std::vector<SubscribedTopic> confirmed(std::vector<SubscribedResult>& results, const Client& client);

/// Where subscriptions go on: at the positions that were confirmed, or where they are.
enum class Begin : std::uint8_t { at_position, where_it_is };

/// What was missed, each message once though it lies in several of them, then what is live. After the confirmation.
void go_live(std::vector<SubscribedResult> results, Client& client, Begin begin = Begin::at_position);

/// The overflow policy that a subscription has: the client's choice, where it has one.
Overflow policy_of(const TopicPattern& topic, const SubscriptionOptions& options, const Client& client);

/// The connection has these now, and its session too.
void keep(std::vector<std::pair<TopicPattern, SubscriptionOptions>> topics, Client& client);

/// Ends these everywhere; those that there are not are passed over. What the router has to deliver already still comes.
void drop(std::vector<TopicPattern> topics, Client& client);

/// The same, and once it is done nothing comes any more but what other subscriptions of the client bring.
actor::Task<void> drop_and_wait(std::vector<TopicPattern> topics, Client& client);

}  // namespace troupe::realtime
