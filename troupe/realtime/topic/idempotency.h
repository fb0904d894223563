// IdempotencyWindow: publications, or direct messages, that bore a key, so that a repeat is
// answered and not sent again.
//
// A key belongs to its user, operation and topic and is remembered for a while; past the
// bound the oldest is forgotten. Owned by the topic's home router.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "troupe/base/clock.h"
#include "troupe/realtime/protocol/command.h"
#include "troupe/realtime/protocol/ids.h"
#include "troupe/realtime/protocol/topic_name.h"

namespace troupe::realtime {

struct IdempotencyOptions {
  base::Duration window = std::chrono::minutes{5};  // longer than any client goes on trying
  std::size_t keys_max = 10'000;                    // on one core, of publications and of direct messages each
};

using IdempotencyKey = std::tuple<UserId, KeyedOperation, TopicName, std::string>;

template <class Answer>
class IdempotencyWindow {
 public:
  explicit IdempotencyWindow(IdempotencyOptions options) : options_(options) {}

  struct Entry {
    IdempotencyKey key;
    std::size_t payload_hash = 0;
    base::Instant since;
    std::uint64_t ticket = 0;      // of the counting that is under way
    std::optional<Answer> answer;  // once it is known
  };

  /// The entry of a key that was used within the window.
  Entry* find(const IdempotencyKey& key, base::Instant now) {
    expire(now);
    auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : &*found->second;
  }
  /// Remembers a key, which must not be there.
  Entry& add(IdempotencyKey key, std::size_t payload_hash, base::Instant now) {
    if (entries_.size() == options_.keys_max) forget_oldest();
    entries_.push_back({std::move(key), payload_hash, now, 0, {}});
    by_key_.emplace(entries_.back().key, std::prev(entries_.end()));
    return entries_.back();
  }
  void expire(base::Instant now) {
    while (!entries_.empty() && entries_.front().since + options_.window <= now) forget_oldest();
  }
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  void forget_oldest() {
    by_key_.erase(entries_.front().key);
    entries_.pop_front();
  }

  IdempotencyOptions options_;
  std::list<Entry> entries_;  // oldest first
  std::map<IdempotencyKey, typename std::list<Entry>::iterator> by_key_;
};

}  // namespace troupe::realtime
