// SystemSupervisor: the root of the real-time service. It starts the routers and connection
// supervisors of all cores, the server and the metrics, and passes on what concerns all.
//
// A child that throws goes on with its state; a router whose tables are corrupted starts
// with empty ones, and then all routers begin theirs anew (topic/message_router_actor), for
// each connection is the truth about its subscriptions and fills them again.
//
// Where the system was given a journal (System::provide<actor::Journal>), topics may be durable.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/base/published.h"
#include "troupe/realtime/connection/connection_supervisor.h"
#include "troupe/realtime/service/metrics_collector.h"
#include "troupe/realtime/service/options.h"
#include "troupe/realtime/service/server_actor.h"

namespace troupe::realtime {

/// The configuration cannot be carried out: the service ends.
struct ConfigurationError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What the service's doors need to know; the references hold as long as the service runs.
struct Doors {
  actor::Ref<ServerActor> server;
  actor::Ref<MetricsCollector> metrics;
  std::vector<RouterRef> routers;                             // by core
  std::vector<PresenceRef> presence;                          // by core
  std::vector<actor::Ref<ConnectionSupervisor>> connections;  // by core
  std::vector<std::shared_ptr<ConnectionSite>> sites;         // by core; each is touched on its core alone
};

struct GetDoors {
  using reply = Doors;
};

/// Lets nobody in any more; answered when that is so.
struct RefuseConnections {
  using reply = void;
};

/// How many are connected.
struct CountConnections {
  using reply = std::size_t;
};

/// Lets nobody in any more, sends all connections away over a time, and answers when they are gone or time is up.
/// Said again with less, it hurries.
struct DrainRealtime {
  base::Duration over{};
  using reply = std::size_t;  // connections that are still there
};

/// From now on these hold on all cores. What only a start can change stays as it was: the router's options, the
/// sizes of mailboxes, and whether there is an echo.
struct UseOptions {
  static constexpr auto message_class = actor::MessageClass::control;
  std::shared_ptr<const RealtimeOptions> options;
};

/// Publishes on a topic of the server's own, which no client may. Answered when every core has it, so what is asked
/// one after the other is delivered in that order to everybody, whatever the topics.
struct PublishOwn {
  TopicName topic;  // below "system."
  std::string json;
  using reply = PublishAck;
  using error = PublishError;
};

class SystemSupervisor {
 public:
  static constexpr std::string_view actor_type = "SystemSupervisor";
  static constexpr bool interleaves = true;  // it is heard while it drains

  /// `options`: those that hold; published by this actor alone, read by the doors.
  SystemSupervisor(base::Published<RealtimeOptions> options, Verifier verifier, std::size_t cores);

  void started(actor::Context& ctx);
  Doors handle(const GetDoors&) const { return doors_; }
  void handle(const PresenceStarted& message);
  void handle(const TokenRevoked& message);
  void handle(UseOptions message);
  actor::Task<void> handle(RefuseConnections message);
  actor::Task<std::size_t> handle(CountConnections message);
  actor::Task<std::size_t> handle(DrainRealtime message, actor::Context& ctx);
  actor::Task<std::expected<PublishAck, PublishError>> handle(PublishOwn message);

 private:
  void start_keepers(actor::Context& ctx);
  void start_core(actor::Context& ctx, std::size_t core);
  std::optional<actor::Ref<TopicJournal>> start_journal(actor::Context& ctx, std::size_t core);
  actor::Task<std::size_t> open_connections();

  base::Published<RealtimeOptions> published_;
  std::shared_ptr<const RealtimeOptions> options_;  // what was published last
  Verifier verifier_;
  std::size_t cores_;
  std::shared_ptr<const std::vector<RouterRef>> routers_;
  std::shared_ptr<const std::vector<SessionsRef>> keepers_;
  PresenceHomes presence_;
  std::vector<bool> presence_started_;
  Doors doors_;
};

/// How the SystemSupervisor's children are supervised.
actor::Supervision system_supervision();

}  // namespace troupe::realtime
