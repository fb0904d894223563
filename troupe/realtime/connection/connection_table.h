// ConnectionTable: the connections of one core, in the order in which they came: two words each.
//
// Numbers only rise, so whoever comes stands last. The place of one that has left stays until half of them are such.
// Owned by the core's ConnectionSupervisor.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <utility>

#include "troupe/base/local_ref.h"
#include "troupe/realtime/connection/due_queue.h"

namespace troupe::realtime {

template <class Connection>
class ConnectionTable {
 public:
  using Ref = base::LocalRef<Connection>;

  std::size_t size() const noexcept { return places_.size() - gone_; }

  /// `number` is higher than all before.
  void add(ConnectionNumber number, Ref connection) { places_.emplace_back(number, std::move(connection)); }

  /// Null where there is none.
  Connection* find(ConnectionNumber number) const {
    auto place = std::ranges::lower_bound(places_, number, {}, &Place::first);
    return place != places_.end() && place->first == number ? place->second.get() : nullptr;
  }
  void erase(ConnectionNumber number) {
    auto place = std::ranges::lower_bound(places_, number, {}, &Place::first);
    if (place == places_.end() || place->first != number || place->second == nullptr) return;
    const Ref last = std::exchange(place->second, nullptr);
    if (++gone_ * 2 <= places_.size()) return;
    std::erase_if(places_, [](const Place& one) { return one.second == nullptr; });
    gone_ = 0;
  }

  /// Calls `visit` with each that is there, in their order. None may come or be erased meanwhile.
  template <class Visit>
  void for_each(Visit visit) const {
    visit_after(0, [&](Connection& connection) {
      visit(connection);
      return true;
    });
  }
  /// The same with those behind a number, until `visit` gives false.
  template <class Visit>
  void visit_after(ConnectionNumber number, Visit visit) const {
    auto place = std::ranges::upper_bound(places_, number, {}, &Place::first);
    for (; place != places_.end(); ++place) {
      if (place->second != nullptr && !visit(*place->second)) return;
    }
  }

 private:
  using Place = std::pair<ConnectionNumber, Ref>;

  std::deque<Place> places_;  // by number; null: it has left
  std::size_t gone_ = 0;
};

}  // namespace troupe::realtime
