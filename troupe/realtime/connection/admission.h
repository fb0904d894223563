// Admission: the place that a connection holds within the limits, and by what it is counted.
//
// The ServerActor gives the places; this is what the connections below it know of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "troupe/net/address.h"
#include "troupe/realtime/protocol/ids.h"

namespace troupe::realtime {

/// What is held for as long as a connection lasts: its place within the limits. Its end gives the place back.
using Lease = std::shared_ptr<void>;

enum class AdmitRefusal : std::uint8_t {
  full,  // connections_max
  too_many_from_address,
  too_many_of_user,
  draining,
};

/// May a connection that came without a token stay, now that its user is known?
struct AdmitUser {
  UserId user;
  using reply = Lease;
  using error = AdmitRefusal;
};

/// What counts as one address: of IPv6 the network of 64 bits, for a host may take any address in it.
inline net::IpAddress counted_address(const net::IpAddress& address) {
  if (address.is_v4()) return address;
  auto bytes = address.bytes();
  std::fill(bytes.begin() + 8, bytes.end(), 0);
  return net::IpAddress{bytes};
}

}  // namespace troupe::realtime
