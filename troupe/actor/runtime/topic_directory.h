// TopicDirectory: the topics of one system, and on each core who of its actors subscribed to what.
//
// Owned by the host. A topic is found by name on any thread and stays as long as the system:
// its names are the program's own, not a client's. Each core's half is used on its own thread;
// what others must know of it is one number for each topic: how many subscriptions it has. A
// subscription ends with its subscriber, whose death the core's half is told of.
//
// A subscriber that moves to another core remains one where it subscribed: that core, its home,
// passes on to it what is published. So publishers need not know of the move, and none is missed
// or doubled. When it moves on it tells its homes. What is on its way to where it was is passed
// on there and must not be overtaken: so the home first sends a token after it, holds what is
// published meanwhile, and takes the new way when the token has come through.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "troupe/actor/runtime/bus.h"
#include "troupe/actor/runtime/core.h"
#include "troupe/base/subscription_trie.h"

namespace troupe::actor {

/// How what other nodes publish is read; empty for values that stay on their node.
struct TopicWire {
  std::string_view type;  // the name that such a value bears
  /// Publishes it to the subscribers of this system. On the first core; throws what the codec throws.
  void (*receive)(Host& host, const struct TopicEntry& entry, const BusMessage& message) = nullptr;
};

/// One topic, for all cores.
struct TopicEntry {
  std::string name;
  const void* type;  // of its values
  TopicWire wire;
  std::size_t index;
  std::unique_ptr<std::atomic<std::uint32_t>[]> subscriptions;  // by core; its own thread writes
};

/// A subscriber that has moved away from this core, its home.
struct MovedSubscriber {
  Address as;           // by which it is known here
  Address who;          // where what is published is sent to
  Address next;         // where it is; if that is not `who`, what is published is held until the way there is clear
  bool blocks = false;  // its mailbox: what has no room waits, also on its way
  EnvelopeList held;
  std::uint32_t held_count = 0;
  std::uint64_t heard = 0;                                              // of its news
  std::map<std::uint64_t, std::move_only_function<void(Core&)>> early;  // that came before older ones
};

/// Who gets what is published. `handler` takes the value itself or, `shared`, what all subscribers share.
struct TopicSubscriber {
  Address who;
  const Handler* handler = nullptr;
  bool shared = false;
  MovedSubscriber* moved = nullptr;  // null: it is here
};

class TopicDirectory {
 public:
  /// `bus`: to the other nodes; null: there are none.
  TopicDirectory(std::size_t cores, std::shared_ptr<Bus> bus) : cores_(cores), bus_(std::move(bus)), halves_(cores) {}

  /// Any thread. The same name always gives the same entry; with another type it fails an invariant.
  TopicEntry& open(std::string_view name, const void* type, TopicWire wire = {});

  Bus* bus() const noexcept { return bus_.get(); }
  /// On the first core: publishes what another node has published. What cannot be read is reported once a topic.
  void receive(Host& host, const BusMessage& message);

  /// On the subscriber's core, or on one that it has left. A second time with the same pattern changes nothing.
  void subscribe(Core& here, TopicEntry& entry, const TopicSubscriber& subscriber, const base::TopicPattern& pattern);
  void unsubscribe(Core& here, TopicEntry& entry, Address who, const base::TopicPattern& pattern);
  void forget(Core& here, Address who) noexcept;

  /// A message with what was published, to its subscriber.
  static void hand_over(Core& here, const TopicSubscriber& subscriber, Envelope* envelope) {
    if (subscriber.moved == nullptr) [[likely]] {
      here.admit(*subscriber.who.cell, envelope);
    } else {
      pass_on(here, *subscriber.moved, envelope);
    }
  }
  /// An actor leaves this core; `extras` are its own.
  void moves(Core& here, Address before, Address now, CellExtras& extras, bool blocks);
  /// A token has come through to a subscriber that has moved on. At its home.
  void way_is_clear(Core& home, Address as);
  /// Frees what is held, after the last turn of this core.
  void clear(Core& here) noexcept;

  /// Any thread: whether a publication has a reader there.
  bool reaches(const TopicEntry& entry, std::size_t core) const noexcept {
    return entry.subscriptions[core].load(std::memory_order_relaxed) > 0;
  }
  /// Calls `deliver(subscriber)` for each living one of this core whose subscriptions match, once.
  template <class F>
  void for_each_subscriber(Core& here, const TopicEntry& entry, const base::TopicName& name, F&& deliver) {
    Half& half = halves_[static_cast<std::size_t>(here.index())];
    if (entry.index >= half.topics.size() || half.topics[entry.index] == nullptr) return;
    LocalTopic& topic = *half.topics[entry.index];
    for (const auto& match : topic.trie.match(name)) {
      const TopicSubscriber& subscriber = topic.members[match.subscriber].subscriber;
      if (subscriber.moved != nullptr) {
        deliver(subscriber);
        continue;
      }
      const Cell& cell = *subscriber.who.cell;
      if (cell.is(subscriber.who.generation) && cell.state != CellState::stopping) deliver(subscriber);
    }
  }

 private:
  struct Member {
    TopicSubscriber subscriber;
    std::map<base::TopicPattern, base::SubscriptionTrie::SubscriptionId> held;
  };
  struct LocalTopic {
    base::SubscriptionTrie trie;
    std::vector<Member> members;
    std::vector<std::uint32_t> free;
    std::map<ActorId, std::uint32_t> numbers;  // of the members
  };
  /// Who is at home on a core.
  struct Resident {
    std::vector<TopicEntry*> topics;  // where it is a member
    std::unique_ptr<MovedSubscriber> moved;
  };
  /// One core's.
  struct Half {
    std::vector<std::unique_ptr<LocalTopic>> topics;  // by index of the entry
    std::map<ActorId, Resident> watched;              // who is told of when it dies
  };

  static void pass_on(Core& here, MovedSubscriber& to, Envelope* envelope);
  /// Lets a home know something, in the order in which it is said.
  void say(Core& here, TopicHome& home, std::move_only_function<void(Core&)> news);
  void hear(Core& home, Address as, std::uint64_t number, std::move_only_function<void(Core&)> news);
  static void moves_on(Core& home, MovedSubscriber& who, Address now);
  MovedSubscriber* moved(Core& home, Address as) noexcept;
  void add(Core& here, TopicEntry& entry, const TopicSubscriber& subscriber, const base::TopicPattern& pattern);
  void remove(Core& here, TopicEntry& entry, Address who, const base::TopicPattern& pattern);
  Half& half_of(const Core& core) noexcept { return halves_[static_cast<std::size_t>(core.index())]; }
  LocalTopic& local(Core& here, const TopicEntry& entry);
  Member& member(Core& here, TopicEntry& entry, LocalTopic& topic, const TopicSubscriber& subscriber);
  static void count(Core& here, TopicEntry& entry, int change) noexcept;

  const std::size_t cores_;
  const std::shared_ptr<Bus> bus_;
  std::set<std::string, std::less<>> unreadable_;  // topics of which something could not be read; on the first core
  std::vector<Half> halves_;                       // by core

  std::mutex mutex_;  // guards the next
  std::map<std::string, std::unique_ptr<TopicEntry>, std::less<>> entries_;
};

}  // namespace troupe::actor
