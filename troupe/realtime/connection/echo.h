// EchoActor: sends every message back, for conformance suites. Only where it is configured.
//
// One for each connection; it ends with its link. Reading pauses while the socket is full.
#pragma once

#include <memory>

#include "troupe/actor/actor.h"
#include "troupe/realtime/connection/outbox.h"
#include "troupe/realtime/connection/site.h"
#include "troupe/web/websocket_link.h"

namespace troupe::realtime {

/// A WebSocket was accepted that wants its own messages back.
struct OpenEcho {
  std::unique_ptr<web::WebSocketLink> link;
  Lease lease;
  std::size_t message_bytes_max = 0;
  std::optional<wire::DeflateAgreement> deflate;
};

/// The same on its way into the actor: arguments are copyable, and only one incarnation gets the link.
using EchoHandover = std::shared_ptr<OpenEcho>;

class EchoActor final : private web::WebSocketEvents, private actor::TurnEndHook {
 public:
  static constexpr std::string_view actor_type = "EchoActor";

  EchoActor(std::shared_ptr<ConnectionSite> site, EchoHandover handover);

  void started(actor::Context& ctx);
  void handle(LinkClosed, actor::Context& ctx) { ctx.stop(); }

 private:
  void on_message(web::Opcode opcode, std::string_view message) override;
  void on_pong(std::string_view) override {}
  void on_writable() override { on_turn_end(); }
  void on_closing() override { on_turn_end(); }
  void on_closed(const web::WebSocketClosed&) override { self_.tell(LinkClosed{}); }
  void on_turn_end() override;

  std::shared_ptr<ConnectionSite> site_;
  EchoHandover parts_;
  actor::Core* core_ = nullptr;
  actor::Ref<EchoActor> self_;
  OutboxLimits limits_;
  std::optional<ConnectionCompression> compression_;
  Outbox outbox_{limits_};
  std::unique_ptr<web::WebSocketLink> link_;  // last, so that it is destroyed first
};

}  // namespace troupe::realtime
