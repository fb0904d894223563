// SocketAddress: an Endpoint in the form that the kernel wants, and back.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "troupe/net/address.h"

namespace troupe::net {

class SocketAddress {
 public:
  /// An IPv4 endpoint becomes AF_INET, any other AF_INET6.
  static SocketAddress of(const Endpoint& endpoint) noexcept;

  /// What the kernel filled in through `get` and `size_pointer`. Other families than IP give the empty endpoint.
  Endpoint endpoint() const noexcept;

  int family() const noexcept { return storage_.ss_family; }
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
  sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage_); }
  socklen_t size() const noexcept { return size_; }
  socklen_t* size_pointer() noexcept { return &size_; }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = sizeof(sockaddr_storage);
};

}  // namespace troupe::net
