// AddressPlaces: how many places of one kind each address holds, and at most may hold.
//
// An IPv6 address counts as its /64. Addresses that are exempt, such as those of proxies
// before us, hold as many as they like and are not counted. An address that holds none takes no
// memory. Owned by one core.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "troupe/net/address.h"

namespace troupe::net {

class AddressPlaces {
 public:
  explicit AddressPlaces(std::size_t by_address_max, std::vector<Network> exempt = {});

  /// False when the address holds as many as it may; else it holds one more, until it has left as often.
  bool enter(const IpAddress& address);
  void leave(const IpAddress& address);

  /// How many addresses hold any.
  std::size_t addresses() const noexcept { return held_.size(); }

 private:
  bool is_exempt(const IpAddress& address) const noexcept;

  std::size_t by_address_max_;
  std::vector<Network> exempt_;
  std::map<IpAddress, std::size_t> held_;
};

}  // namespace troupe::net
