// See flow_places.h.
#include "troupe/oauth/actor/flow_places.h"

#include <algorithm>

#include "troupe/base/check.h"

namespace troupe::oauth {
FlowPlaces::FlowPlaces(std::size_t places_max)
    : places_max_(places_max), address_max_((places_max + part_of_an_address - 1) / part_of_an_address) {}

std::size_t FlowPlaces::places_for(std::size_t bytes) const {
  return std::min(1 + bytes / bytes_of_a_place, address_max_);
}

FlowPlaces::Weight FlowPlaces::weight_of(const Holder& holder) {
  return {holder.places, -static_cast<std::int64_t>(*holder.flows.begin())};
}

const FlowId* FlowPlaces::oldest_of(const Holder& holder) const { return &held_.at(*holder.flows.begin()).flow; }

const FlowId* FlowPlaces::oldest() const { return held_.empty() ? nullptr : &held_.begin()->second.flow; }

const FlowId* FlowPlaces::in_the_way_of(const net::IpAddress& address, std::size_t bytes) const {
  if (held_.empty()) return nullptr;
  const std::size_t places = places_for(bytes);
  const auto own = holders_.find(net::counted_address(address));
  const std::size_t own_after = places + (own == holders_.end() ? 0 : own->second.places);
  if (own != holders_.end() && own_after > address_max_) return oldest_of(own->second);
  if (taken_ + places <= places_max_) return nullptr;
  // Whoever would be the heaviest by this flow makes room for it themselves.
  const auto& [weight, heaviest] = *by_weight_.rbegin();
  if (own != holders_.end() && own_after >= weight.first) return oldest_of(own->second);
  return oldest_of(holders_.at(heaviest));
}

FlowPlaces::Number FlowPlaces::enter(FlowId flow, const net::IpAddress& address, std::size_t bytes) {
  const Held& held =
      held_.emplace(++last_, Held{std::move(flow), net::counted_address(address), places_for(bytes)}).first->second;
  taken_ += held.places;
  const auto [holder, is_new] = holders_.try_emplace(held.address);
  if (!is_new) by_weight_.erase(weight_of(holder->second));
  holder->second.flows.insert(last_);
  holder->second.places += held.places;
  by_weight_.emplace(weight_of(holder->second), held.address);
  return last_;
}

void FlowPlaces::leave(Number number) {
  const auto held = held_.find(number);
  INVARIANT(held != held_.end(), "a flow leaves its place once");
  taken_ -= held->second.places;
  const auto holder = holders_.find(held->second.address);
  by_weight_.erase(weight_of(holder->second));
  holder->second.flows.erase(number);
  holder->second.places -= held->second.places;
  if (holder->second.flows.empty()) {
    holders_.erase(holder);
  } else {
    by_weight_.emplace(weight_of(holder->second), held->second.address);
  }
  held_.erase(held);
}

}  // namespace troupe::oauth
