// FlowPlaces: which sign-in in progress (flow) has to go where there is no room for another.
//
// There are so many places, and a flow takes one for each 4 KB that it holds. An address holds half of them at most;
// and where none is left, the oldest flow of the address that holds most makes room. So whoever begins flows by the
// thousand ends their own, and nobody else's. An IPv6 address counts as its /64, as it does for the rate limits.
// Owned by the Session Actor, which keeps the flows themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "troupe/net/address.h"
#include "troupe/oauth/model/ids.h"

namespace troupe::oauth {

class FlowPlaces {
 public:
  static constexpr std::size_t bytes_of_a_place = 4096;  // nearly every flow has less
  /// 1/2: a company, a university, or everybody behind a proxy that the configuration does not name, comes from one
  /// address and needs thousands; and the other half is there for all others, without anybody's flow having to go.
  static constexpr std::size_t part_of_an_address = 2;

  explicit FlowPlaces(std::size_t places_max);

  /// Rises with each flow that enters.
  using Number = std::uint64_t;

  /// The flow that has to leave first, of those that do, where one of this size comes from this address; null where
  /// there is room. As all of these, but for what it says, it takes O(log n).
  const FlowId* in_the_way_of(const net::IpAddress& address, std::size_t bytes) const;
  /// The flow is there from now on, whether there is room or not.
  Number enter(FlowId flow, const net::IpAddress& address, std::size_t bytes);
  void leave(Number number);

  /// The flow that is there for the longest time; null where there is none.
  const FlowId* oldest() const;

 private:
  struct Held {
    FlowId flow;
    net::IpAddress address;  // as it counts
    std::size_t places;
  };
  struct Holder {
    std::set<Number> flows;  // not empty
    std::size_t places = 0;
  };
  /// By what they hold; of those that hold alike, whoever has the oldest flow is the heaviest.
  using Weight = std::pair<std::size_t, std::int64_t>;
  static Weight weight_of(const Holder& holder);

  /// Never more than an address may hold.
  std::size_t places_for(std::size_t bytes) const;
  const FlowId* oldest_of(const Holder& holder) const;

  std::size_t places_max_;
  std::size_t address_max_;
  std::size_t taken_ = 0;
  Number last_ = 0;
  std::map<Number, Held> held_;
  std::map<net::IpAddress, Holder> holders_;
  std::map<Weight, net::IpAddress> by_weight_;  // all holders
};

}  // namespace troupe::oauth
