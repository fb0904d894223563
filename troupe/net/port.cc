// See port.h for why this is asked before listening.
#include "troupe/net/port.h"

#include <cerrno>
#include <system_error>

#include "troupe/net/socket_address.h"

namespace troupe::net {
namespace {

[[noreturn]] void fail(const Endpoint& address) {
  throw std::system_error{errno, std::generic_category(), "listen on " + address.text()};
}

/// A socket bound to the address; with `option` set, which is SO_REUSEADDR or SO_REUSEPORT.
Descriptor bound(const Endpoint& address, int option) {
  SocketAddress where = SocketAddress::of(address);
  Descriptor socket{::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const int on = 1;
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, option, &on, sizeof on) != 0) fail(address);
  if (::bind(socket.get(), where.get(), where.size()) != 0) fail(address);
  return socket;
}

}  // namespace

PortReservation::PortReservation(const Endpoint& wanted) {
  // Connections of a server that has ended may linger (SO_REUSEADDR), one that listens may not.
  if (wanted.port != 0) bound(wanted, SO_REUSEADDR).reset();
  socket_ = bound(wanted, SO_REUSEPORT);
  SocketAddress actual;
  if (::getsockname(socket_.get(), actual.get(), actual.size_pointer()) != 0) fail(wanted);
  address_ = actual.endpoint();
}

}  // namespace troupe::net
