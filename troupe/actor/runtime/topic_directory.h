// TopicDirectory: the topics of one system, and on each core who of its actors subscribed to what.
//
// Owned by the host. A topic is found by name on any thread and stays as long as the system:
// its names are the program's own, not a client's. Each core's half is used on its own thread;
// what others must know of it is one number for each topic: how many subscriptions it has. A
// subscription ends with its subscriber, whose death the core's half is told of.
#pragma once

#include <atomic>
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

/// Who gets what is published. `handler` takes the value itself or, `shared`, what all subscribers share.
struct TopicSubscriber {
  Address who;
  const Handler* handler = nullptr;
  bool shared = false;
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

  /// On the subscriber's core. A second time with the same pattern changes nothing.
  void subscribe(Core& here, TopicEntry& entry, const TopicSubscriber& subscriber, const base::TopicPattern& pattern);
  void unsubscribe(Core& here, TopicEntry& entry, Address who, const base::TopicPattern& pattern);
  void forget(Core& here, Address who) noexcept;

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
  /// One core's.
  struct Half {
    std::vector<std::unique_ptr<LocalTopic>> topics;      // by index of the entry
    std::map<ActorId, std::vector<TopicEntry*>> watched;  // who is told of when it dies, and where it is a member
  };

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
