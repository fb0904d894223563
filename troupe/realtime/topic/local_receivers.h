// LocalReceivers: the connections of one core, what each is subscribed to, and who of them
// gets a publication.
//
// The receivers stand in a dense array; a subscription refers to its place there. What a
// delivery needs stands apart from the rest, close together. Owned by the core's router.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "troupe/base/subscription_trie.h"
#include "troupe/realtime/topic/by_namespace.h"
#include "troupe/realtime/topic/receiver.h"
#include "troupe/realtime/topic/router_messages.h"
#include "troupe/realtime/topic/small_map.h"
#include "troupe/realtime/topic/user_index.h"

namespace troupe::realtime {

/// The tables contradict each other: all routers must be built anew from their connections.
struct RoutingTableCorrupted : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class LocalReceivers {
 public:
  /// `registrations`: how many there were on this core before, so that no number comes again.
  explicit LocalReceivers(std::uint64_t registrations = 0) : registrations_(registrations) {}

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

  ReceiverNumber add(ReceiverRef receiver);
  Left remove(ReceiverNumber receiver);
  /// The receiver of that number, if it is still there.
  Receiver* find(ReceiverNumber receiver) const noexcept;

  /// True when the pattern is the first of its kind here. A repeated one changes the policy.
  bool subscribe(ReceiverNumber receiver, const TopicPattern& pattern, Overflow overflow);
  /// True when nobody here has the pattern any more.
  bool unsubscribe(ReceiverNumber receiver, const TopicPattern& pattern);

  /// Segments of all that is subscribed to, those that are shared once, and of the names whose receivers are
  /// remembered: what subscriptions take of memory.
  std::size_t segments() const noexcept { return trie_.nodes(); }
  /// How many more a subscription to this would take at most; 0 where somebody has it.
  std::size_t more_segments_for(const TopicPattern& pattern) const;

  /// `now`: when its frames begin to wait in outboxes.
  Counted deliver(const Deliver& message, base::Instant now = base::Instant::never());
  /// Whom the last deliver() had come to before it threw.
  std::vector<ReceiverNumber> reached(const TopicName& topic);
  CountedDirect deliver_direct(const DeliverDirect& message);
  /// `last`: behind which none of these stands.
  void missed(const Missed& range, const StreamPlace& last);

  /// All of them, with their numbers; then there are none here.
  std::vector<std::pair<ReceiverNumber, ReceiverRef>> take_receivers();

  std::uint64_t registrations() const noexcept { return registrations_; }

  /// From now on subscriptions are counted by the namespaces of these settings, too.
  void use(const RealtimeSettings& settings);
  std::size_t subscriptions() const noexcept { return trie_.size(); }
  const ByNamespace<std::size_t>& subscriptions_by_namespace() const noexcept { return by_namespace_; }
  const base::SubscriptionTrie::Stats& trie_stats() const noexcept { return trie_.stats(); }

 private:
  struct Slot {
    ReceiverRef receiver;  // null while the slot is free
    std::uint64_t registration = 0;
    SmallMap<base::SubscriptionTrie::PatternNumber, base::SubscriptionTrie::SubscriptionId> subscriptions;
    UserIndex::Place next_of_hash = UserIndex::none;
  };

  Slot* slot_of(ReceiverNumber receiver) noexcept;
  /// Throws RoutingTableCorrupted where it has left.
  Receiver* receiver_of(const base::SubscriptionTrie::Match& match) const;
  auto next_of() noexcept {
    return [this](UserIndex::Place place) -> UserIndex::Place& { return slots_[place].next_of_hash; };
  }
  std::vector<std::uint32_t> places_of(const UserId& user) const;
  static constexpr unsigned place_bits = 24;  // of a number; the rest is the registration's
  static std::uint32_t place_of(ReceiverNumber receiver) noexcept {
    return static_cast<std::uint32_t>(receiver & ((1U << place_bits) - 1));
  }
  static ReceiverNumber number_of(std::uint64_t registration, std::uint32_t place) noexcept {
    return registration << place_bits | place;
  }

  std::uint64_t registrations_;
  std::size_t reached_ = 0;           // matches of the last delivery that are dealt with
  std::deque<Slot> slots_;            // grows by small blocks
  std::vector<Receiver*> receivers_;  // of each slot; null while it is free
  std::vector<std::uint32_t> free_;
  UserIndex by_user_;
  base::SubscriptionTrie trie_;
  ByNamespace<std::size_t> by_namespace_;  // subscriptions
};

}  // namespace troupe::realtime
