// ConnectionSupervisor: one on each core; parent of the core's WebSocketActors, and their
// clock.
//
// One for one: a fault in one connection concerns that connection. It holds one timer for
// the earliest thing that any connection waits for, so an idle connection has none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/realtime/connection/connection.h"
#include "troupe/realtime/connection/connection_table.h"
#include "troupe/realtime/connection/echo.h"
#include "troupe/realtime/connection/site.h"
#include "troupe/web/response_stream.h"

namespace troupe::realtime {

/// A WebSocket was accepted on this core.
struct OpenConnection {
  std::unique_ptr<web::WebSocketLink> link;
  std::optional<Identity> identity;
  Lease lease;  // for its user too, if it brought a token
  std::optional<wire::DeflateAgreement> deflate;
  std::optional<SessionId> session;  // that the client wants to go on with
  net::IpAddress address{};
};

/// A stream of events was accepted on this core.
struct OpenEventStream {
  std::unique_ptr<web::ResponseStream> response;
  Identity identity;
  Lease lease;
  EventStreamParts parts;
  net::IpAddress address{};
};

/// Something earlier than the timer is due.
struct LookAtClock {
  static constexpr auto message_class = actor::MessageClass::control;
};

/// Revocations that every connection knows of by now are forgotten.
struct ForgetRevocations {
  static constexpr auto message_class = actor::MessageClass::control;
};

/// A connection reads a topic on, from the place up to which it was written. Others are heard meanwhile.
struct ReadSpilled {
  static constexpr auto message_class = actor::MessageClass::control;
  static constexpr bool interleaves = true;
  ConnectionNumber connection;
  SpilledTopics::Wanted wanted;
  std::size_t messages_max;
};

/// A connection does not keep up with a topic, the first on this core.
struct PressureBegins {
  static constexpr auto message_class = actor::MessageClass::control;
};

/// Homes are to hear again of topics with which connections do not keep up.
struct RepeatPressure {
  static constexpr auto message_class = actor::MessageClass::control;
};

/// Sends all connections away, evenly over `over`, in an order drawn by lot; those that come yet, within what is left
/// of it. Said again with less, it hurries.
struct DrainConnections {
  static constexpr auto message_class = actor::MessageClass::control;
  base::Duration over{};
};

/// Closes all connections at once: what they were subscribed to is lost.
struct CloseConnections {
  static constexpr auto message_class = actor::MessageClass::control;
  std::uint16_t code = 0;
  std::string reason;
};

/// From now on these limits hold. A connection that is open keeps the one of its frames.
struct UseConnectionOptions {
  static constexpr auto message_class = actor::MessageClass::control;
  ConnectionOptions options;
};

/// A connection as operators see it.
struct ListedConnection {
  ConnectionNumber number = 0;
  ConnectionId id;
  UserId user;  // empty while it is not known
  std::size_t subscriptions = 0;
  std::size_t queue = 0;
  net::IpAddress address{};
  bool is_stream = false;  // of events
};

/// The first `limit` connections of this core after that number, in the order in which they came.
struct ListConnections {
  ConnectionNumber after = 0;
  std::size_t limit = 0;
  using reply = std::vector<ListedConnection>;
};

/// Sends connections away for good, by the word of an operator (1008); gives how many there were.
struct CloseConnection {
  ConnectionId id;
  using reply = std::size_t;
};
struct CloseUser {
  UserId user;
  using reply = std::size_t;
};

struct MeasureConnections {
  using reply = ConnectionFigures;
};

class ConnectionSupervisor {
 public:
  static constexpr std::string_view actor_type = "ConnectionSupervisor";

  explicit ConnectionSupervisor(std::shared_ptr<ConnectionSite> site) : site_(std::move(site)) {}

  void started(actor::Context& ctx);
  void stopped(actor::Context& ctx);
  void inspect(actor::Inspection& out) const;

  void handle(OpenConnection message, actor::Context& ctx);
  void handle(OpenEventStream message, actor::Context& ctx);
  void handle(OpenEcho message, actor::Context& ctx);
  void handle(const ConnectionEnded& message);
  void handle(LookAtClock, actor::Context& ctx);
  actor::Task<void> handle(ReadSpilled message, actor::Context& ctx);
  void handle(PressureBegins, actor::Context& ctx);
  void handle(RepeatPressure, actor::Context& ctx);
  void handle(const TokenRevoked& message, actor::Context& ctx);
  void handle(ForgetRevocations, actor::Context& ctx);
  void handle(const DrainConnections& message, actor::Context& ctx);
  void handle(const CloseConnections& message);
  void handle(const ReplaceConnection& message);
  void handle(const DeliverPresence& message);
  void handle(const RepeatPresence& message);
  void handle(UseSettings message);
  void handle(const UseConnectionOptions& message);
  ConnectionFigures handle(const MeasureConnections&) const;
  std::vector<ListedConnection> handle(const ListConnections& message) const;
  std::size_t handle(const CloseConnection& message);
  std::size_t handle(const CloseUser& message);

 private:
  template <class Which>
  std::size_t dismiss(Which&& which);
  void open(ConnectionParts parts, actor::Context& ctx);
  void tell_watchers(const DeliverPresence& message);
  void arm(actor::Context& ctx);
  void send_away(Connection& connection, base::Duration over, actor::Context& ctx);

  std::shared_ptr<ConnectionSite> site_;
  ConnectionNumber next_number_ = 1;
  ConnectionTable<Connection> connections_;
  std::optional<base::Instant> drained_at_;  // by then all are told to go
};

/// What becomes of a connection whose actor threw: it starts anew, or ends with 1011 when that happens too often.
actor::Supervision connection_supervision();

}  // namespace troupe::realtime
