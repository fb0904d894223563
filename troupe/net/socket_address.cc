// SocketAddress: bytes copied between our form and the kernel's.
#include "troupe/net/socket_address.h"

#include <algorithm>
#include <cstring>

namespace troupe::net {

SocketAddress SocketAddress::of(const Endpoint& endpoint) noexcept {
  SocketAddress address;
  const auto& bytes = endpoint.ip.bytes();
  if (endpoint.ip.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, bytes.data() + 12, 4);
    std::memcpy(&address.storage_, &v4, sizeof v4);
    address.size_ = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::memcpy(&v6.sin6_addr, bytes.data(), 16);
    std::memcpy(&address.storage_, &v6, sizeof v6);
    address.size_ = sizeof v6;
  }
  return address;
}

Endpoint SocketAddress::endpoint() const noexcept {
  std::array<std::uint8_t, 16> bytes{};
  if (storage_.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &storage_, sizeof v4);
    bytes[10] = bytes[11] = 0xff;
    std::memcpy(bytes.data() + 12, &v4.sin_addr, 4);
    return {.ip = IpAddress{bytes}, .port = ntohs(v4.sin_port)};
  }
  if (storage_.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &storage_, sizeof v6);
    std::memcpy(bytes.data(), &v6.sin6_addr, 16);
    return {.ip = IpAddress{bytes}, .port = ntohs(v6.sin6_port)};
  }
  return {};
}

}  // namespace troupe::net
