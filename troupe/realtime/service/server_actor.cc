// ServerActor: counting in and counting out.
#include "troupe/realtime/service/server_actor.h"

namespace troupe::realtime {

namespace {

// Tells the server when its last holder has let go, on whichever core that is.
struct Place {
  actor::Ref<ServerActor> server;
  net::IpAddress address;

  Place(actor::Ref<ServerActor> s, net::IpAddress a) : server(s), address(a) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { server.tell(Leave{address}); }
};

// What counts as one address: of IPv6 the network, for a host may take any address in it.
net::IpAddress counted(const net::IpAddress& address) {
  if (address.is_v4()) return address;
  auto bytes = address.bytes();
  std::fill(bytes.begin() + 8, bytes.end(), 0);
  return net::IpAddress{bytes};
}

}  // namespace

std::expected<Lease, AdmitRefusal> ServerActor::handle(const Admit& message, actor::Context& ctx) {
  auto refuse = [&](AdmitRefusal why) {
    ++figures_.refused;
    return std::unexpected(why);
  };
  if (draining_) return refuse(AdmitRefusal::draining);
  if (figures_.connections >= limits_.connections_max) return refuse(AdmitRefusal::full);
  auto address = counted(message.address);
  auto& from_address = by_address_[address];
  if (from_address >= limits_.by_address_max) return refuse(AdmitRefusal::too_many_from_address);
  ++from_address;
  ++figures_.connections;
  ++figures_.admitted;
  return std::make_shared<Place>(ctx.self(this), address);
}

void ServerActor::handle(const Leave& message) {
  auto found = by_address_.find(message.address);
  if (found == by_address_.end()) return;
  --figures_.connections;
  if (--found->second == 0) by_address_.erase(found);
}

void ServerActor::inspect(actor::Inspection& out) const {
  out.add("connections", figures_.connections);
  out.add("refused", figures_.refused);
}

}  // namespace troupe::realtime
