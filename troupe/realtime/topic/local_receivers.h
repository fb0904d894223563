// LocalReceivers: the connections of one core, what each is subscribed to, and who of them
// gets a publication.
//
// The receivers stand in a dense array; a subscription refers to its place there. What a
// delivery needs stands apart from the rest, close together. Owned by the core's router.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "troupe/base/subscription_trie.h"
#include "troupe/realtime/topic/receiver.h"
#include "troupe/realtime/topic/router_messages.h"

namespace troupe::realtime {

/// The tables contradict each other: all routers must be built anew from their connections.
struct RoutingTableCorrupted : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class LocalReceivers {
 public:
  struct Counted {
    std::uint64_t accepted = 0;
    std::uint64_t queued = 0;
    std::uint64_t dropped = 0;
    std::uint64_t spilled = 0;
    std::uint64_t over = 0;  // not yet known
  };
  struct CountedDirect {
    std::vector<ConnectionId> connections;
    std::uint64_t queued = 0;
  };
  /// What nobody on this core wants any more.
  struct Left {
    std::vector<TopicPattern> patterns;
    std::optional<UserId> user;
  };

  ReceiverNumber add(Register registration);
  Left remove(ReceiverNumber receiver);
  /// The receiver of that number, if it is still there.
  Receiver* find(ReceiverNumber receiver) const noexcept;

  /// True when the pattern is the first of its kind here. A repeated one changes the policy.
  bool subscribe(ReceiverNumber receiver, const TopicPattern& pattern, Overflow overflow);
  /// True when nobody here has the pattern any more.
  bool unsubscribe(ReceiverNumber receiver, const TopicPattern& pattern);

  Counted deliver(const Deliver& message);
  CountedDirect deliver_direct(const DeliverDirect& message);
  void missed(const Missed& range);

  std::size_t subscriptions() const noexcept { return trie_.size(); }
  const base::SubscriptionTrie::Stats& trie_stats() const noexcept { return trie_.stats(); }

 private:
  struct Slot {
    std::shared_ptr<Receiver> receiver;  // null while the slot is free
    std::uint32_t generation = 0;
    ConnectionId connection;
    UserId user;
    std::map<TopicPattern, base::SubscriptionTrie::SubscriptionId> subscriptions;
  };

  Slot* slot_of(ReceiverNumber receiver) noexcept;
  static std::uint32_t place_of(ReceiverNumber receiver) noexcept { return static_cast<std::uint32_t>(receiver); }

  std::vector<Slot> slots_;
  std::vector<Receiver*> receivers_;  // of each slot; null while it is free
  std::vector<std::uint32_t> free_;
  std::map<UserId, std::vector<std::uint32_t>> by_user_;
  base::SubscriptionTrie trie_;
};

}  // namespace troupe::realtime
