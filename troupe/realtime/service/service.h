// The real-time service as app/ sees it: start it, hang its doors into each core's router,
// tell it of revoked tokens, drain it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "troupe/actor/actor.h"
#include "troupe/base/published.h"
#include "troupe/realtime/protocol/stream_cursor.h"
#include "troupe/realtime/service/options.h"
#include "troupe/realtime/service/system_supervisor.h"
#include "troupe/web/router.h"

namespace troupe::realtime {

/// A running service; copyable, and owns nothing. Its actors belong to the system.
class Realtime {
 public:
  /// Starts the service on all cores of `system` and waits until it is ready. On a foreign thread. `verifier` says
  /// whom access tokens stand for.
  static Realtime start(actor::System& system, RealtimeOptions options, Verifier verifier);

  /// Adds `/ws`, `/events`, the HTTP API, and `/echo` where configured, to the router of one core. On that core.
  void routes(web::Router& router, int core) const;

  /// Whom to tell TokenRevoked and UseOptions, and to ask RefuseConnections, DrainRealtime and CountConnections.
  actor::Ref<SystemSupervisor> supervisor() const noexcept { return supervisor_; }
  /// Whom to ask CollectMetrics.
  actor::Ref<MetricsCollector> metrics() const noexcept { return doors_->metrics; }

 private:
  actor::Ref<SystemSupervisor> supervisor_;
  base::Published<RealtimeOptions> options_;
  std::shared_ptr<const Doors> doors_;
  Verifier verifier_;
};

/// The parameters that the query of a request for WebSockets or a stream has at most: topics, a token and some more.
inline constexpr std::size_t query_parameters_max = stream_topics_max + 16;

/// Where a client put its token, first found: the Authorization header, a subprotocol `bearer.<token>`, the query.
/// Nothing when it shows none; TokenRefusal::invalid when what it shows can be no token: an Authorization header of
/// another form or scheme or twice, an empty token, two in the query, a query that cannot be read.
std::expected<std::optional<std::string>, TokenRefusal> token_of(const web::Request& request);

/// The session that a client wants to go on with: `session` of the query; nothing when it names none or several.
std::optional<SessionId> session_of(const web::Request& request);

/// Whether a browser's page may connect: the request names no origin, its own, or one that is allowed.
bool origin_allowed(const web::Request& request, const std::vector<std::string>& allowed);

}  // namespace troupe::realtime
