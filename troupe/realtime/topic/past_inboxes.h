// PastInboxes: how far inboxes had come that were forgotten, so that a later one of the same user goes on there, and
// who comes back to it is not told that something was lost.
//
// The oldest go when there are too many, and each after a while. Owned by the shard of the inboxes.
#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>
#include <utility>

#include "troupe/base/clock.h"
#include "troupe/realtime/protocol/ids.h"

namespace troupe::realtime {

class PastInboxes {
 public:
  explicit PastInboxes(std::size_t max) : max_(max) {}

  /// The inbox was forgotten at `top`. There is none of this user here.
  void add(const UserId& user, Position top, base::Instant now) {
    line_.push_back({user, std::move(top), now});
    places_[user] = std::prev(line_.end());
    if (line_.size() > max_) drop_oldest();
  }
  /// Where it was; null: nobody knows.
  const Position* find(const UserId& user) const {
    const auto place = places_.find(user);
    return place == places_.end() ? nullptr : &place->second->top;
  }
  /// He has an inbox again.
  void forget(const UserId& user) {
    const auto place = places_.find(user);
    if (place == places_.end()) return;
    line_.erase(place->second);
    places_.erase(place);
  }
  /// Forgets what was added by `until`.
  void expire(base::Instant until) {
    while (!line_.empty() && line_.front().since <= until) drop_oldest();
  }
  std::size_t size() const noexcept { return line_.size(); }

 private:
  struct Past {
    UserId user;
    Position top;
    base::Instant since;
  };

  void drop_oldest() {
    places_.erase(line_.front().user);
    line_.pop_front();
  }

  std::size_t max_;
  std::list<Past> line_;  // oldest first
  std::unordered_map<UserId, std::list<Past>::iterator> places_;
};

}  // namespace troupe::realtime
