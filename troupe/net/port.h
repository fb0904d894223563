// PortReservation: a port that is ours before anybody listens on it.
//
// Every core listens on its own socket with SO_REUSEPORT, which the kernel also grants to a
// second server of the same user; so whether a port is free is asked once, here, without it.
// The reservation names the port where 0 was asked for. It accepts no connections.
#pragma once

#include "troupe/net/address.h"
#include "troupe/net/descriptor.h"

namespace troupe::net {

class PortReservation {
 public:
  /// Throws std::system_error, with the address in its text, when it is taken or not ours to use.
  explicit PortReservation(const Endpoint& wanted);

  const Endpoint& address() const noexcept { return address_; }

 private:
  Endpoint address_;
  Descriptor socket_;
};

}  // namespace troupe::net
