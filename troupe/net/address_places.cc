// Places by address: counted up, and down to nothing.
#include "troupe/net/address_places.h"

#include <utility>

#include "troupe/base/check.h"

namespace troupe::net {

AddressPlaces::AddressPlaces(std::size_t by_address_max, std::vector<Network> exempt)
    : by_address_max_(by_address_max), exempt_(std::move(exempt)) {}

bool AddressPlaces::is_exempt(const IpAddress& address) const noexcept { return contains_any(exempt_, address); }

bool AddressPlaces::enter(const IpAddress& address) {
  if (is_exempt(address)) return true;
  const auto place = held_.try_emplace(counted_address(address), 0).first;
  if (place->second < by_address_max_) {
    ++place->second;
    return true;
  }
  if (place->second == 0) held_.erase(place);  // nobody may hold any
  return false;
}

void AddressPlaces::leave(const IpAddress& address) {
  if (is_exempt(address)) return;
  const auto place = held_.find(counted_address(address));
  INVARIANT(place != held_.end(), "who leaves has entered");
  if (--place->second == 0) held_.erase(place);
}

}  // namespace troupe::net
