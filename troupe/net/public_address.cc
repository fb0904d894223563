// See public_address.h. The lists are those of the registries of special-purpose addresses (RFC 6890 and its updates).
#include "troupe/net/public_address.h"

#include <vector>

namespace troupe::net {
namespace {

using Networks = std::vector<Network>;

Networks networks(std::initializer_list<const char*> texts) {
  Networks all;
  for (const char* text : texts) all.push_back(Network::parse(text).value());
  return all;
}

}  // namespace

bool is_public(const IpAddress& address) noexcept {
  static const Networks special_v4 =
      networks({"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
                "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
                "203.0.113.0/24", "224.0.0.0/3"});
  if (address.is_v4()) return !contains_any(special_v4, address);
  // All that was ever given to networks of the internet is in the first one; loopback, link-local, unique-local,
  // multicast, NAT64 and what stands for IPv4 in older ways is not.
  static const Networks given_v6 = networks({"2000::/3"});
  static const Networks special_v6 = networks({"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"});
  return contains_any(given_v6, address) && !contains_any(special_v6, address);
}

}  // namespace troupe::net
