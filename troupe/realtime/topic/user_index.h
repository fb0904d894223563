// UserIndex: which places of a table are a user's, in four bytes a place and as many for those who share a hash.
//
// The table keeps in each of its places where the next one of the same hash is; the names stand there alone. One core.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "troupe/base/check.h"

namespace troupe::realtime {

class UserIndex {
 public:
  using Place = std::uint32_t;
  static constexpr Place none = std::numeric_limits<Place>::max();

  /// `next_of(place)` is where the table keeps the next place, `hash_of(place)` the hash of the name that stands there.
  template <class NextOf, class HashOf>
  void add(Place place, NextOf next_of, HashOf hash_of) {
    if (++size_ > firsts_.size()) grow(next_of, hash_of);
    link(place, next_of, hash_of);
  }
  template <class NextOf>
  void remove(Place place, std::size_t hash, NextOf next_of) {
    auto* link = &first(hash);
    while (*link != place) {
      INVARIANT(*link != none, "who leaves the index stands under the name under which it came");
      link = &next_of(*link);
    }
    *link = next_of(place);
    --size_;
  }
  /// Calls `visit` with the places of all who share the hash.
  template <class NextOf, class Visit>
  void for_each(std::size_t hash, NextOf next_of, Visit visit) const {
    if (firsts_.empty()) return;
    for (auto place = firsts_[hash % firsts_.size()]; place != none; place = next_of(place)) visit(place);
  }

 private:
  Place& first(std::size_t hash) noexcept { return firsts_[hash % firsts_.size()]; }
  template <class NextOf, class HashOf>
  void link(Place place, NextOf next_of, HashOf hash_of) {
    auto& head = first(hash_of(place));
    next_of(place) = head;
    head = place;
  }
  template <class NextOf, class HashOf>
  void grow(NextOf next_of, HashOf hash_of) {
    std::vector<Place> places;
    for (auto place : firsts_) {
      for (; place != none; place = next_of(place)) places.push_back(place);
    }
    firsts_.assign(firsts_.empty() ? 16 : 2 * firsts_.size(), none);
    for (auto place : places) link(place, next_of, hash_of);
  }

  std::vector<Place> firsts_;  // by hash
  std::size_t size_ = 0;
};

}  // namespace troupe::realtime
