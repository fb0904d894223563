// ServerActor: decides who may come in: how many connections there are, in all, from one
// address and of one user, and whether the service is going away.
//
// One in the system. A place is a lease: it is given back when its holder lets go, on
// whatever way a connection ends.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/net/address.h"
#include "troupe/realtime/connection/connection.h"

namespace troupe::realtime {

/// May one more connection come from this address, and of this user, if it has shown a token?
struct Admit {
  net::IpAddress address;
  std::optional<UserId> user{};
  using reply = Lease;
  using error = AdmitRefusal;
};

/// A lease has ended. Told by the lease itself.
struct Leave {
  static constexpr auto message_class = actor::MessageClass::control;
  std::optional<net::IpAddress> address{};  // none of a lease for the user alone
  UserId user;                              // empty for somebody without a token
};

/// From now on nobody comes in.
struct CloseDoors {
  static constexpr auto message_class = actor::MessageClass::control;
};

struct ServerFigures {
  std::uint64_t connections = 0;
  std::uint64_t admitted = 0;
  std::uint64_t refused = 0;
};
struct MeasureServer {
  using reply = ServerFigures;
};

/// The users who are connected with a token, in the order of their names, from the one after `after` on.
struct UsersPage {
  std::vector<std::pair<UserId, std::size_t>> users;  // and how many connections each has
  std::size_t count = 0;                              // of all users
  bool more = false;                                  // there are others behind the last
};
struct ListUsers {
  UserId after;
  std::size_t limit = 0;
  using reply = UsersPage;
};

struct AdmissionLimits {
  std::size_t connections_max;
  std::size_t by_address_max;
  std::size_t by_user_max;
};

/// From now on these limits hold; who is there stays.
struct UseAdmissionLimits {
  static constexpr auto message_class = actor::MessageClass::control;
  AdmissionLimits limits;
};

class ServerActor {
 public:
  static constexpr std::string_view actor_type = "ServerActor";

  explicit ServerActor(AdmissionLimits limits) : limits_(limits) {}

  std::expected<Lease, AdmitRefusal> handle(const Admit& message, actor::Context& ctx);
  std::expected<Lease, AdmitRefusal> handle(const AdmitUser& message, actor::Context& ctx);
  void handle(const Leave& message);
  UsersPage handle(const ListUsers& message) const;
  void handle(CloseDoors) { draining_ = true; }
  void handle(const UseAdmissionLimits& message) { limits_ = message.limits; }
  ServerFigures handle(const MeasureServer&) const { return figures_; }
  void inspect(actor::Inspection& out) const;

 private:
  AdmissionLimits limits_;
  std::unexpected<AdmitRefusal> refuse(AdmitRefusal why);

  std::map<net::IpAddress, std::size_t> by_address_;
  std::map<UserId, std::size_t> by_user_;
  ServerFigures figures_;
  bool draining_ = false;
};

}  // namespace troupe::realtime
