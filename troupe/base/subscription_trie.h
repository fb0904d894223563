// SubscriptionTrie: who gets what is published to a topic, found by walking its segments.
//
// One subscriber may hold several patterns that match; it is found once. Results are kept
// at the topic's node until a change that can affect them, and at most `cached_max` of
// them; a topic whose result is kept is found without a walk. That nobody is found is kept,
// too, where finding it out was not cheap. Removing costs O(1) a subscription. Owned by one
// router or topic; one core.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/base/topic_name.h"

namespace troupe::base {

class SubscriptionTrie {
 public:
  using Subscriber = std::uint32_t;
  using SubscriptionId = std::uint32_t;
  using PatternNumber = std::uint32_t;  // of a pattern that somebody has; given again once nobody does
  enum class Via : std::uint8_t { name, pattern };

  /// One subscriber of a topic. `via` is pattern if any of its matching subscriptions is one; `tag` is that of the
  /// subscription by name if there is one, else of its earliest.
  struct Match {
    Subscriber subscriber;
    Via via;
    std::uint8_t tag;
    SubscriptionId subscription;

    friend bool operator==(const Match&, const Match&) = default;
  };

  struct Added {
    SubscriptionId id;
    PatternNumber pattern;
    bool first;  // nobody had this pattern before
  };

  struct Stats {
    std::uint64_t lookups = 0;
    std::uint64_t hits = 0;     // answered from a kept result
    std::uint64_t visited = 0;  // nodes looked at by those that were not
    std::uint64_t forgot = 0;   // nodes looked at for results that a change can affect
  };

  /// `cheap_visits_max`: a walk over no more nodes that finds nobody is cheap enough to be done each
  /// time; that over the root alone is.
  explicit SubscriptionTrie(std::size_t cached_max = 16 * 1024, std::uint64_t cheap_visits_max = 64);
  ~SubscriptionTrie();
  SubscriptionTrie(const SubscriptionTrie&) = delete;
  SubscriptionTrie& operator=(const SubscriptionTrie&) = delete;

  /// Adds a subscription. The caller sees to it that a subscriber holds a pattern only once.
  Added add(const TopicPattern& pattern, Subscriber subscriber, std::uint8_t tag = 0);

  /// Removes one, which was added with `pattern`; true when nobody has its pattern any more.
  bool remove(SubscriptionId id, const TopicPattern& pattern);

  /// The number of a pattern; nothing for one that nobody has.
  std::optional<PatternNumber> number_of(const TopicPattern& pattern) const;
  /// With which pattern a subscription was added.
  TopicPattern pattern_of(SubscriptionId id) const;

  /// The subscribers of a topic, each once, in ascending order. Valid until the next call.
  std::span<const Match> match(const TopicName& name);

  std::size_t size() const noexcept { return records_.size() - free_.size(); }
  std::size_t nodes() const noexcept { return nodes_; }
  const Stats& stats() const noexcept { return stats_; }

 private:
  struct Node;
  // Ordered, for clients choose the segments: those of one hash would stand in one line.
  using Children = std::map<std::string, std::unique_ptr<Node>, std::less<>>;
  using Kept = std::map<std::string, Node*, std::less<>>;  // of names that clients choose: no hash is to be met
  using Ages = std::list<const Kept::value_type*>;
  using Result = std::vector<Match>;

  struct Node {
    Node* parent = nullptr;
    const std::string* segment = nullptr;  // the key in the parent's children
    PatternNumber number = 0;
    Children children;        // "*" and ">" stand among them; no name has such a segment
    std::vector<Match> here;  // who subscribed to just this path
    std::optional<Result> result;
    Ages::iterator kept;              // while there is a result
    std::size_t results = 0;          // here and below
    std::vector<Node*> with_results;  // the children that have any, in no order that matters
    std::size_t place = 0;            // among the parent's, while there are any
  };

  struct Record {
    Node* node = nullptr;   // null while the id is free
    std::size_t index = 0;  // in node->here
  };

  static Node* child(const Node& node, std::string_view segment);
  Node* find(std::string_view pattern) const;
  Node& path_to(std::string_view pattern);
  PatternNumber take_number();
  void collect(Node& node, std::string_view rest, bool wildcards, Result& found);
  void keep(const TopicName& name, Result result);
  void forget(Node& node);
  void forget_matching(const TopicPattern& pattern);
  void find_results(Node& node, std::string_view pattern, std::vector<Node*>& found);
  void prune(Node* node);
  static void count_result(Node& node);
  static void discount_result(Node& node) noexcept;

  std::unique_ptr<Node> root_;
  std::deque<Record> records_;  // grows by small blocks
  std::vector<SubscriptionId> free_;
  std::vector<PatternNumber> free_numbers_;
  PatternNumber numbers_ = 0;  // that were given
  Kept kept_;                  // nodes with a result, by the whole name
  Ages ages_;                  // of them, oldest first
  std::size_t cached_max_;
  std::uint64_t cheap_visits_max_;
  std::size_t nodes_ = 1;
  Stats stats_;
};

}  // namespace troupe::base
