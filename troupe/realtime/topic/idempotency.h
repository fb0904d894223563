// IdempotencyWindow: publications, or direct messages, that bore a key, so that a repeat is
// answered and not sent again.
//
// A key belongs to its user, operation and topic and is remembered for a while. Past his share
// a user's own oldest is forgotten, and past the bound the oldest of all, so that nobody forgets
// for others as long as there is room. Owned by the topic's home router.
#pragma once

#include <cstdint>
#include <deque>
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
  std::size_t keys_max = 100'000;  // on one core, of publications and of direct messages each; 30 MB if all are used
  std::size_t keys_of_user_max = 10'000;  // of those
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
    auto& mine = by_user_[std::get<UserId>(key)];
    if (mine.size() == options_.keys_of_user_max) forget(mine.front());
    if (entries_.size() == options_.keys_max) forget(entries_.begin());
    entries_.push_back({std::move(key), payload_hash, now, 0, {}});
    const auto place = std::prev(entries_.end());
    by_key_.emplace(place->key, place);
    by_user_[std::get<UserId>(place->key)].push_back(place);  // the user's list may have gone with its last entry
    return *place;
  }
  void expire(base::Instant now) {
    while (!entries_.empty() && entries_.front().since + options_.window <= now) forget(entries_.begin());
  }
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  using Place = typename std::list<Entry>::iterator;

  /// The oldest of its user, as each that is forgotten is.
  void forget(Place place) {
    const auto mine = by_user_.find(std::get<UserId>(place->key));
    mine->second.pop_front();
    if (mine->second.empty()) by_user_.erase(mine);
    by_key_.erase(place->key);
    entries_.erase(place);
  }

  IdempotencyOptions options_;
  std::list<Entry> entries_;  // oldest first
  std::map<IdempotencyKey, Place> by_key_;
  std::map<UserId, std::deque<Place>> by_user_;  // oldest first
};

}  // namespace troupe::realtime
