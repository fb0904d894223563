// WebSocketActor: runs the commands of one connection, one at a time, in the order in which
// they came. A stream of events has one, too: its only command came with its request.
//
// A command that throws is this actor's fault alone: its supervisor starts it anew on the
// same Connection, which keeps socket, session and subscriptions. It ends with the link.
#pragma once

#include <memory>
#include <optional>

#include "troupe/actor/actor.h"
#include "troupe/realtime/connection/connection.h"
#include "troupe/realtime/protocol/command.h"

namespace troupe::realtime {

/// A frame of the client, decoded.
struct RunCommand {
  std::unique_ptr<CommandRun> command;
};

/// The client of a session that goes on did not say in time where it was.
struct ResumeAnyway {
  static constexpr auto message_class = actor::MessageClass::control;
};

/// The router of the core knows the connection no more.
struct RestoreRoutes {
  static constexpr auto message_class = actor::MessageClass::control;
};

class WebSocketActor {
 public:
  static constexpr std::string_view actor_type = "WebSocketActor";

  explicit WebSocketActor(base::LocalRef<Connection> connection) : connection_(std::move(connection)) {}

  actor::Task<void> started(actor::Context& ctx);
  void stopped(actor::Context& ctx);
  void inspect(actor::Inspection& out) const;

  actor::Task<void> handle(RunCommand message);
  actor::Task<void> handle(ResumeAnyway message);
  actor::Task<void> handle(RestoreRoutes message, actor::Context& ctx);
  void handle(LinkClosed, actor::Context& ctx) { ctx.stop(); }

 private:
  base::LocalRef<Connection> connection_;
};

}  // namespace troupe::realtime
