// IdempotencyWindow: publications, or direct messages, that bore a key, so that a repeat is
// answered and not sent again.
//
// A key belongs to its user, operation and topic and is remembered for a while. Past his share
// a user's own oldest is forgotten, and past the bound the oldest of all, so that nobody forgets
// for others as long as there is room. Both count places: a key takes one, and a large answer as
// many more as it needs. Owned by the topic's home router.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "troupe/base/clock.h"
#include "troupe/realtime/protocol/answer.h"
#include "troupe/realtime/protocol/command.h"
#include "troupe/realtime/protocol/ids.h"
#include "troupe/realtime/protocol/topic_name.h"

namespace troupe::realtime {

struct IdempotencyOptions {
  base::Duration window = std::chrono::minutes{5};  // longer than any client goes on trying
  // On one core, of publications and of direct messages each: 30 MB if all are used by ordinary names, and at worst
  // three times that.
  std::size_t keys_max = 100'000;
  std::size_t keys_of_user_max = 10'000;  // of those
};

using IdempotencyKey = std::tuple<UserId, KeyedOperation, TopicName, std::string>;

/// The memory that an answer has beside itself.
inline std::size_t bytes_beside(const PublishAck&) noexcept { return 0; }
inline std::size_t bytes_beside(const DirectAck& answer) noexcept {
  return answer.connections.size() * sizeof(ConnectionId);
}

template <class Answer>
class IdempotencyWindow {
 public:
  explicit IdempotencyWindow(IdempotencyOptions options) : options_(options) {}

  static constexpr std::size_t place_bytes = 256;  // of an answer, for each place that it takes beside its key's

  struct Entry {
    IdempotencyKey key;
    std::size_t payload_hash = 0;
    base::Instant since;
    std::size_t places = 1;
    std::uint64_t ticket = 0;        // of the counting that is under way
    std::optional<Answer> answer{};  // once it is known
  };

  /// The entry of a key that was used within the window.
  Entry* find(const IdempotencyKey& key, base::Instant now) {
    expire(now);
    auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : &**found;
  }
  /// Remembers a key, which must not be there.
  void add(IdempotencyKey key, std::size_t payload_hash, base::Instant now, std::uint64_t ticket = 0) {
    make_room(std::get<UserId>(key), 1);
    entries_.push_back({std::move(key), payload_hash, now, 1, ticket});
    const auto place = std::prev(entries_.end());
    by_key_.insert(place);
    auto& mine = by_user_[std::get<UserId>(place->key)];
    mine.entries.push_back(place);
    ++mine.places;
    ++places_;
  }
  /// Keeps the answer of the counting `ticket`, unless its key is forgotten. An answer that needs more room than there
  /// is makes older keys be forgotten, perhaps its own.
  void keep(const IdempotencyKey& key, std::uint64_t ticket, const Answer& answer, base::Instant now) {
    auto* entry = find(key, now);
    // Forgotten before it was known, the key may have been used anew: that has its own answer.
    if (entry == nullptr || entry->ticket != ticket || entry->answer) return;
    entry->answer = answer;
    const std::size_t more = bytes_beside(answer) / place_bytes;
    if (more == 0) return;
    entry->places += more;
    by_user_.at(std::get<UserId>(key)).places += more;
    places_ += more;
    make_room(std::get<UserId>(key), 0);
  }
  void expire(base::Instant now) {
    while (!entries_.empty() && entries_.front().since + options_.window <= now) forget(entries_.begin());
  }
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  using Place = typename std::list<Entry>::iterator;

  struct ByKey {
    using is_transparent = void;
    bool operator()(Place a, Place b) const { return a->key < b->key; }
    bool operator()(Place a, const IdempotencyKey& b) const { return a->key < b; }
    bool operator()(const IdempotencyKey& a, Place b) const { return a < b->key; }
  };
  struct OfUser {
    std::deque<Place> entries;  // oldest first
    std::size_t places = 0;
  };

  /// For so many more places of this user.
  void make_room(const UserId& user, std::size_t more) {
    for (auto mine = by_user_.find(user);
         mine != by_user_.end() && mine->second.places + more > options_.keys_of_user_max; mine = by_user_.find(user))
      forget(mine->second.entries.front());
    while (!entries_.empty() && places_ + more > options_.keys_max) forget(entries_.begin());
  }

  /// The oldest of its user, as each that is forgotten is.
  void forget(Place place) {
    const auto mine = by_user_.find(std::get<UserId>(place->key));
    places_ -= place->places;
    mine->second.places -= place->places;
    mine->second.entries.pop_front();
    if (mine->second.entries.empty()) by_user_.erase(mine);
    by_key_.erase(place);
    entries_.erase(place);
  }

  IdempotencyOptions options_;
  std::list<Entry> entries_;  // oldest first
  std::set<Place, ByKey> by_key_;
  std::map<UserId, OfUser> by_user_;
  std::size_t places_ = 0;  // of all
};

}  // namespace troupe::realtime
