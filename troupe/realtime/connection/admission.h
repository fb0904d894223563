// Admission: the place that a connection holds within the limits, and by what it is counted.
//
// The ServerActor gives the places; this is what the connections below it know of them.
#pragma once

#include <cstdint>
#include <memory>

#include "troupe/net/address.h"
#include "troupe/realtime/protocol/ids.h"

namespace troupe::realtime {

/// A place within the limits, of a client at this address. Its end gives it back.
class Place {
 public:
  explicit Place(const net::IpAddress& address) noexcept : address_(address) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  virtual ~Place() = default;

  const net::IpAddress& address() const noexcept { return address_; }

 private:
  const net::IpAddress address_;
};

/// What is held for as long as a connection lasts, on whichever core.
using Lease = std::unique_ptr<const Place>;

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

}  // namespace troupe::realtime
