// SubscriptionTrie: the walk that finds, and the walk that forgets what a change can affect.
#include "troupe/base/subscription_trie.h"

#include <algorithm>
#include <utility>

#include "troupe/base/check.h"

namespace troupe::base {

namespace {

using Match = SubscriptionTrie::Match;
using Via = SubscriptionTrie::Via;

// Of two subscriptions of one subscriber: by name before by pattern, then the earlier one.
bool comes_before(const Match& a, const Match& b) {
  if (a.subscriber != b.subscriber) return a.subscriber < b.subscriber;
  if (a.via != b.via) return a.via == Via::name;
  return a.subscription < b.subscription;
}

// Sorts and leaves one match a subscriber, which came by a pattern if any of its matches did.
void leave_one_each(std::vector<Match>& matches) {
  std::ranges::sort(matches, comes_before);
  std::size_t kept = 0;
  for (const auto& match : matches) {
    if (kept > 0 && matches[kept - 1].subscriber == match.subscriber) {
      if (match.via == Via::pattern) matches[kept - 1].via = Via::pattern;
    } else {
      matches[kept++] = match;
    }
  }
  matches.resize(kept);
}

}  // namespace

SubscriptionTrie::SubscriptionTrie(std::size_t cached_max, std::uint64_t cheap_visits_max)
    : root_(std::make_unique<Node>()),
      cached_max_(std::max<std::size_t>(cached_max, 1)),
      cheap_visits_max_(std::max<std::uint64_t>(cheap_visits_max, 1)) {}

SubscriptionTrie::~SubscriptionTrie() = default;

SubscriptionTrie::Added SubscriptionTrie::add(const TopicPattern& pattern, Subscriber subscriber, std::uint8_t tag) {
  auto& node = path_to(pattern.text());
  if (free_.empty()) {
    free_.push_back(static_cast<SubscriptionId>(records_.size()));
    records_.emplace_back();
  }
  auto id = free_.back();
  free_.pop_back();
  records_[id] = {&node, node.here.size()};
  node.here.push_back({subscriber, pattern.is_name() ? Via::name : Via::pattern, tag, id});
  bool first = node.here.size() == 1;
  forget_matching(pattern);
  return {id, node.number, first};
}

bool SubscriptionTrie::remove(SubscriptionId id, const TopicPattern& pattern) {
  INVARIANT(id < records_.size() && records_[id].node != nullptr, "a subscription is removed once");
  auto [node, index] = std::exchange(records_[id], {});
  free_.push_back(id);
  node->here[index] = node->here.back();
  node->here.pop_back();
  if (index < node->here.size()) records_[node->here[index].subscription].index = index;

  bool last = node->here.empty();
  bool keeps_result = node->result.has_value();  // then forgetting it prunes the node too
  forget_matching(pattern);
  if (!keeps_result) prune(node);
  // What is kept still is that nobody was found, which is cheap to find in an empty trie.
  while (size() == 0 && !ages_.empty()) forget(*ages_.front()->second);
  return last;
}

std::span<const Match> SubscriptionTrie::match(const TopicName& name) {
  ++stats_.lookups;
  if (const auto kept = kept_.find(name.text()); kept != kept_.end()) {
    ++stats_.hits;
    return *kept->second->result;
  }
  Result found;
  const auto visited = stats_.visited;
  collect(*root_, name.text(), !name.is_reserved(), found);
  if (found.empty() && stats_.visited - visited <= cheap_visits_max_) return {};
  leave_one_each(found);
  keep(name, std::move(found));
  return *ages_.back()->second->result;
}

SubscriptionTrie::Node* SubscriptionTrie::child(const Node& node, std::string_view segment) {
  auto found = node.children.find(segment);
  return found == node.children.end() ? nullptr : found->second.get();
}

SubscriptionTrie::Node* SubscriptionTrie::find(std::string_view pattern) const {
  Node* node = root_.get();
  while (node != nullptr && !pattern.empty()) node = child(*node, take_segment(pattern));
  return node;
}

std::optional<SubscriptionTrie::PatternNumber> SubscriptionTrie::number_of(const TopicPattern& pattern) const {
  const Node* node = find(pattern.text());
  return node != nullptr && !node->here.empty() ? std::optional{node->number} : std::nullopt;
}

TopicPattern SubscriptionTrie::pattern_of(SubscriptionId id) const {
  std::string text;
  for (const Node* node = records_[id].node; node->parent != nullptr; node = node->parent) {
    text.insert(0, text.empty() ? *node->segment : *node->segment + '.');
  }
  return TopicPattern::parse(text).value();
}

SubscriptionTrie::PatternNumber SubscriptionTrie::take_number() {
  if (free_numbers_.empty()) return ++numbers_;
  const auto number = free_numbers_.back();
  free_numbers_.pop_back();
  return number;
}

SubscriptionTrie::Node& SubscriptionTrie::path_to(std::string_view pattern) {
  Node* node = root_.get();
  while (!pattern.empty()) {
    auto [place, fresh] = node->children.try_emplace(std::string{take_segment(pattern)});
    if (fresh) {
      place->second = std::make_unique<Node>();
      place->second->parent = node;
      place->second->segment = &place->first;
      place->second->number = take_number();
      ++nodes_;
    }
    node = place->second.get();
  }
  return *node;
}

// `wildcards` is false only at the root, for reserved names.
void SubscriptionTrie::collect(Node& node, std::string_view rest, bool wildcards, Result& found) {
  ++stats_.visited;
  if (rest.empty()) {
    found.insert(found.end(), node.here.begin(), node.here.end());
    return;
  }
  auto segment = take_segment(rest);
  if (Node* literal = child(node, segment)) collect(*literal, rest, true, found);
  if (!wildcards) return;
  if (Node* star = child(node, "*")) collect(*star, rest, true, found);
  if (Node* tail = child(node, ">")) found.insert(found.end(), tail->here.begin(), tail->here.end());
}

void SubscriptionTrie::keep(const TopicName& name, Result result) {
  if (kept_.size() == cached_max_) forget(*ages_.front()->second);
  auto& node = path_to(name.text());
  node.result = std::move(result);
  node.kept = ages_.insert(ages_.end(), &*kept_.emplace(name.text(), &node).first);
  count_result(node);
}

void SubscriptionTrie::forget(Node& node) {
  if (!node.result) return;
  kept_.erase(kept_.find((*node.kept)->first));
  ages_.erase(node.kept);
  node.result.reset();
  discount_result(node);
  prune(&node);
}

// Results stand on paths of literal segments only, so forgetting one never prunes the node of a pattern.
void SubscriptionTrie::forget_matching(const TopicPattern& pattern) {
  if (kept_.empty()) return;
  std::vector<Node*> affected;
  find_results(*root_, pattern.text(), affected);
  for (Node* node : affected) forget(*node);
}

void SubscriptionTrie::find_results(Node& node, std::string_view pattern, std::vector<Node*>& found) {
  ++stats_.forgot;
  if (pattern.empty()) {
    if (node.result) found.push_back(&node);
    return;
  }
  auto segment = take_segment(pattern);
  if (segment != "*" && segment != ">") {
    Node* next = child(node, segment);
    if (next != nullptr && next->results > 0) find_results(*next, pattern, found);
    return;
  }
  for (Node* next : node.with_results) {
    if (segment == "*") {
      find_results(*next, pattern, found);
    } else {
      if (next->result) found.push_back(next);
      find_results(*next, ">", found);
    }
  }
}

// A change looks only at paths that hold results, however many patterns stand beside them.
void SubscriptionTrie::count_result(Node& node) {
  for (Node* at = &node; at->parent != nullptr; at = at->parent) {
    if (++at->results > 1) continue;
    at->place = at->parent->with_results.size();
    at->parent->with_results.push_back(at);
  }
}

void SubscriptionTrie::discount_result(Node& node) noexcept {
  for (Node* at = &node; at->parent != nullptr; at = at->parent) {
    if (--at->results > 0) continue;
    auto& siblings = at->parent->with_results;
    siblings[at->place] = siblings.back();
    siblings[at->place]->place = at->place;
    siblings.pop_back();
  }
}

void SubscriptionTrie::prune(Node* node) {
  while (node->parent != nullptr && node->children.empty() && node->here.empty() && !node->result) {
    Node* parent = node->parent;
    free_numbers_.push_back(node->number);
    parent->children.erase(parent->children.find(*node->segment));
    --nodes_;
    node = parent;
  }
}

}  // namespace troupe::base
