// Whether an address is one of the public internet, for whoever connects to where a stranger has told them to.
#pragma once

#include "troupe/net/address.h"

namespace troupe::net {

/// False for every address that is of this machine, of a network behind it, or of no single host: loopback, private,
/// link-local, unique-local, multicast, unspecified, reserved ones and those for examples; and for IPv6 addresses that
/// stand for IPv4 ones (mapped ones count as those that they stand for; NAT64 and 6to4 are refused as a whole).
bool is_public(const IpAddress& address) noexcept;

}  // namespace troupe::net
